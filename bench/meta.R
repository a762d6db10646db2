# Times metafor on the data of the Go benchmarks: Rscript meta.R FOLDER. One line
# a case: name, seconds. Long cases run on a part and are scaled, as said.
suppressMessages(library(metafor))
dir <- commandArgs(TRUE)[1]
d <- function(f) read.csv(file.path(dir, f))
e19 <- d("effects19.csv"); e48 <- d("effects48.csv"); e1000 <- d("effects1000.csv"); l <- d("levels1000.csv")
time <- function(name, scale, expr) {
  e <- substitute(expr)
  t0 <- proc.time()[[3]]
  suppressWarnings(eval(e, parent.frame()))
  cat(sprintf("%s,%.4f\n", name, scale * (proc.time()[[3]] - t0)))
}
r <- rma(yi, vi, data = e1000)
time("REML1000", 1 / 3, for (i in 1:3) rma(yi, vi, data = e1000))
set.seed(1)
time("Bootstrap10000", 10, for (b in 1:1000) { i <- sample.int(48, replace = TRUE); try(rma(e48$yi[i], e48$vi[i]), TRUE) })
time("TrimFill1000", 1, trimfill(r))
time("ThreeLevel1000", 1, rma.mv(yi, vi, random = ~ 1 | study/es, data = l, sparse = TRUE))
time("Gosh100000", 100, gosh(rma(yi, vi, data = e19), subsets = 1000, progbar = FALSE))
time("Influence1000", 10, for (i in 1:100) rma(yi, vi, data = e1000[-i, ]))
time("BetaSelection1000", 1, selmodel(r, type = "beta"))
