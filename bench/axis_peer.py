"""Times libRoadRunner and COPASI on the exported axis model and compares both
with a reference. Usage: axis_peer.py AXIS.xml REFERENCE.csv"""
import csv, os, sys, time
import roadrunner
null = os.open(os.devnull, os.O_WRONLY)
os.dup2(null, 2)  # CVODE warns at every session
roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
rows = list(csv.reader(open(sys.argv[2])))
names, ref = rows[0][1:], [[float(v) for v in r] for r in rows[1:]]
end, steps = ref[-1][0], len(ref) - 1

def worst(table):
    scale = [max(abs(r[k + 1]) for r in ref) for k in range(len(names))]
    return max(abs(table[i][k] - ref[i][k + 1]) / scale[k] for i in range(len(ref)) for k in range(len(names)))

t = time.perf_counter()
r = roadrunner.RoadRunner(sys.argv[1])
print("roadrunner %s: load %.0f ms" % (roadrunner.__version__, 1e3 * (time.perf_counter() - t)))
r.timeCourseSelections = names
for rtol, atol in ((1e-4, 1e-6), (1e-6, 1e-9), (1e-8, 1e-12)):
    best = 1e99
    for _ in range(3):
        r.resetAll()
        r.integrator.relative_tolerance, r.integrator.absolute_tolerance = rtol, atol
        t = time.perf_counter()
        x = r.simulate(0, end, steps + 1)
        best = min(best, time.perf_counter() - t)
    print("roadrunner rtol %g: %.1f ms a person, error %.2g" % (rtol, 1e3 * best, worst([list(v) for v in x])), flush=True)
try:
    import COPASI
    dm = COPASI.CRootContainer.addDatamodel()
    t = time.perf_counter()
    dm.importSBML(sys.argv[1])
    load = time.perf_counter() - t
    task = dm.getTask("Time-Course")
    p = task.getProblem()
    p.setStepNumber(steps)
    p.setDuration(end)
    dm.getModel().setInitialTime(0.0)
    best = 1e99
    for _ in range(3):
        t = time.perf_counter()
        ok = task.process(True)
        best = min(best, time.perf_counter() - t)
    ts = task.getTimeSeries()
    col = {ts.getTitle(i): i for i in range(ts.getNumVariables())}
    idx = [next(col[k] for k in col if k in (n, "Values[" + n + "]", "Values[" + n.replace("_", ".") + "]")) for n in names]
    table = [[ts.getData(i, k) for k in idx] for i in range(ts.getRecordedSteps())]
    print("copasi %s: load %.0f ms, %.1f ms a person, error %.2g (defaults)%s" % (COPASI.__version__, 1e3 * load, 1e3 * best, worst(table), "" if ok else " FAILED"))
except Exception as e:
    print("copasi: %s" % e)
