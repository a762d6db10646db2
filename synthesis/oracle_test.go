package synthesis

// metaforBCG: R 4.2.2, metafor 3.8-1, rma(yi, vi, method="ML"), BCG trials.
var metaforBCG = struct{ beta, se, tau2, logLik float64 }{-0.71119913547418112, 0.17189680877689031, 0.28002813726864451, -12.665076348276809}
