package sbml
import ("testing";"os";"context";"fmt";"github.com/myoaxis/myoaxis/kinetics";"github.com/myoaxis/myoaxis/ode")
func BenchmarkCase(b *testing.B){ id:=os.Getenv("CASE"); dir:=os.DirFS("../../shared/sbml-test-suite/semantic"); bt,err:=Load(dir,id+"/"+id+"-sbml-l3v2.xml"); if err!=nil{b.Fatal(err)}
 d,_:=os.ReadFile("../../shared/sbml-test-suite/semantic/"+id+"/"+id+"-settings.txt"); s,_:=ReadSettings(id,d)
 var r *Result
 for b.Loop(){ r,err=bt.RunWith(context.Background(),s,kinetics.Settings{Settings:ode.Settings{RTol:1e-6,ATol:1e-12},Seed:1}); if err!=nil{b.Fatal(err)} }
 fmt.Printf("%s %d states %d guards %+v\n",id,len(bt.K.States),len(bt.K.Outputs),r.Stats)}
