/* Times CVODE (BDF, dense Jacobian by differences) on HIRES and on Robertson's
 * problem at rtol 1e-6, the least of many runs, for bench/engine.sh.
 * cc -O2 cvode.c -lsundials_cvode -lsundials_nvecserial -lsundials_sunlinsoldense -lsundials_sunmatrixdense -lm */
#include <cvode/cvode.h>
#include <nvector/nvector_serial.h>
#include <stdio.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunmatrix/sunmatrix_dense.h>
#include <time.h>

static int hires(realtype t, N_Vector yv, N_Vector dv, void *u) {
	realtype *y = N_VGetArrayPointer(yv), *d = N_VGetArrayPointer(dv);
	d[0] = -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007;
	d[1] = 1.71 * y[0] - 8.75 * y[1];
	d[2] = -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4];
	d[3] = 8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3];
	d[4] = -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6];
	d[5] = -280 * y[5] * y[7] + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6];
	d[6] = 280 * y[5] * y[7] - 1.81 * y[6];
	d[7] = -d[6];
	return 0;
}
static int robertson(realtype t, N_Vector yv, N_Vector dv, void *u) {
	realtype *y = N_VGetArrayPointer(yv), *d = N_VGetArrayPointer(dv);
	realtype a = 0.04 * y[0], b = 1e4 * y[1] * y[2], c = 3e7 * y[1] * y[1];
	d[0] = -a + b;
	d[1] = a - b - c;
	d[2] = c;
	return 0;
}
static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}
static void run(const char *name, CVRhsFn f, int n, const double *y0, double end, double atol) {
	double best = 1e99, last = 0;
	long steps = 0;
	for (int k = 0; k < 50; k++) {
		SUNContext ctx;
		SUNContext_Create(NULL, &ctx);
		N_Vector y = N_VNew_Serial(n, ctx);
		for (int i = 0; i < n; i++) NV_Ith_S(y, i) = y0[i];
		SUNMatrix A = SUNDenseMatrix(n, n, ctx);
		SUNLinearSolver L = SUNLinSol_Dense(y, A, ctx);
		double t0 = now();
		void *m = CVodeCreate(CV_BDF, ctx);
		CVodeInit(m, f, 0, y);
		CVodeSStolerances(m, 1e-6, atol);
		CVodeSetLinearSolver(m, L, A);
		CVodeSetMaxNumSteps(m, 100000);
		realtype t;
		CVode(m, end, y, &t, CV_NORMAL);
		double d = now() - t0;
		if (d < best) best = d;
		CVodeGetNumSteps(m, &steps);
		last = NV_Ith_S(y, 0);
		CVodeFree(&m);
		SUNLinSolFree(L);
		SUNMatDestroy(A);
		N_VDestroy(y);
		SUNContext_Free(&ctx);
	}
	printf("cvode %s: %.1f us, %ld steps, y1 = %.10g\n", name, best, steps, last);
}
int main(void) {
	const double h[8] = {1, 0, 0, 0, 0, 0, 0, 0.0057}, r[3] = {1, 0, 0};
	run("hires", hires, 8, h, 321.8122, 1e-10);
	run("robertson", robertson, 3, r, 40, 1e-10);
	return 0;
}
