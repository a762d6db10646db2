"""Simulates a PEtab problem with libRoadRunner and compares with simulations.tsv.
Usage: petab_peer.py FOLDER; fails where a value differs by more than 1e-6 of itself."""
import sys, csv, math, roadrunner
d=sys.argv[1]
rr=roadrunner.RoadRunner(d+'/model.xml')
rr.integrator.relative_tolerance=1e-9; rr.integrator.absolute_tolerance=1e-11
rows=lambda f: list(csv.DictReader(open(d+'/'+f),delimiter='\t'))
par={r['parameterId']:float(r['nominalValue']) for r in rows('parameters.tsv')}
cond={}
for r in rows('conditions.tsv'): cond.setdefault(r['conditionId'],{})[r['targetId']]=float(r['targetValue'])
exp={}
for r in rows('experiments.tsv'): exp.setdefault(r['experimentId'],[]).append((float(r['time']),r['conditionId']))
obs={r['observableId']:r['observableFormula'] for r in rows('observables.tsv')}
worst=0; n=0
ids=set(rr.model.getGlobalParameterIds())
for m in rows('simulations.tsv'):
    rr.resetAll()
    t=0.0; T=float(m['time'])
    for k,v in par.items():
        if k in ids: rr[k]=v
    for at,c in exp[m['experimentId']]:
        if at>T: break
        if at>t: rr.simulate(t,at,2); t=at
        for k,v in cond[c].items(): rr[k]=v
    if T>t: rr.simulate(t,T,2)
    env={k:rr[k] for k in ids}; env.update({k:v for k,v in par.items() if k not in ids}); env.update(log=math.log)
    y=eval(obs[m['observableId']],{},env)
    e=abs(y-float(m['simulation']))/max(1e-3,abs(float(m['simulation'])))
    worst=max(worst,e); n+=1
    if e>1e-6: print(m['observableId'],m['experimentId'],y,m['simulation'])
print('libRoadRunner',roadrunner.__version__,'rows',n,'largest relative difference',worst)
sys.exit(worst>1e-6)
