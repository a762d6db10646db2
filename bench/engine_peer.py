"""Times libRoadRunner on the models that `engine` timed: load, then run, the
least of five, and writes a CSV with the ratio. Usage: engine_peer.py SUITE OURS.csv"""
import csv, os, sys, time
import roadrunner
roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
roadrunner.Logger.disableLogging()
suite, ours = sys.argv[1], sys.argv[2]
print("case,load_ms,run_ms,peer_load_ms,peer_run_ms")
for row in csv.DictReader(open(ours)):
    c = row["case"]
    base = os.path.join(suite, c, c)
    s = dict((k.strip(), v.strip()) for k, v in (l.split(":", 1) for l in open(base + "-settings.txt") if ":" in l))
    load = run = 1e99
    try:
        for _ in range(5):
            t = time.perf_counter()
            r = roadrunner.RoadRunner(base + "-sbml-l3v2.xml")
            load = min(load, time.perf_counter() - t)
            names = r.timeCourseSelections
            t = time.perf_counter()
            r.simulate(float(s["start"]), float(s["start"]) + float(s["duration"]), int(s["steps"]) + 1)
            run = min(run, time.perf_counter() - t)
    except Exception:
        continue
    print("%s,%s,%s,%.4f,%.4f" % (c, row["load_ms"], row["run_ms"], load * 1e3, run * 1e3), flush=True)
