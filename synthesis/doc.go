// Package synthesis pools results that were reported in different forms. The
// model is theta_i = x_i'beta + u_cohort + w_i with u ~ N(0, tau_b²) and
// w ~ N(0, tau_w²); each row enters through its likelihood in package
// reported. theta_i is integrated in closed form; u by Gauss–Hermite quadrature
// where every row of a cohort is numeric, which is exact there, so that with
// full reports the fit is the ordinary multilevel random-effects model, and by
// the trapezoid rule, exponentially accurate on these integrands, elsewhere.
package synthesis
