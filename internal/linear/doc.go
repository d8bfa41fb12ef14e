// Package linear fits and applies linear maps from the features of a text, which are a dense vector (a language model's hidden
// state) and sparse terms (its words), to scores of classes.
//
// [FitSoftmax] fits classes of which a row has exactly one, [FitSigmoids] classes of which it has any number. [FitPCA] makes the
// dense vector shorter first. [FitTemperature] and [Thresholds] turn scores into probabilities and choices, [Choose] makes
// the choice, and [MacroF1], [MacroF1Sets] and [CalibrationError] say how good they are. [Pack] makes weights small enough to ship.
//
// A fit gives the same bits for the same input on any number of threads of one kind of processor: rows and columns are divided into fixed
// units, and sums over units are taken in order.
package linear
