class ExactCoxLikelihood: pass
