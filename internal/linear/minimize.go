package linear

import (
	"context"
	"errors"
	"math"

	"gonum.org/v1/gonum/floats"
)

const (
	history      = 10    // steps that the curvature is estimated from
	flatGradient = 1e-7  // the largest entry of a gradient that counts as 0
	slowProgress = 1e-10 // relative decrease which an iteration promises that counts as none
	slowRounds   = 3     // so many such iterations end the search
	noise        = 1e-8  // relative error of the objective, whose scores are sums in float32
	tries        = 12    // evaluations of one line search
)

// minimize moves x to the minimum of a convex function, which returns its value at x and sets the gradient, by L-BFGS (Nocedal and Wright
// 2006, algorithm 7.5), and returns the number of iterations, at most limit. The line search goes by slopes, because near the minimum
// rounding hides differences of values, where a search by values fails after dozens of evaluations.
func minimize(ctx context.Context, value func(x, gradient []float64) float64, x []float64, limit int, step func(done int)) (int, error) {
	n := len(x)
	gradient, direction := make([]float64, n), make([]float64, n)
	next, nextGradient := make([]float64, n), make([]float64, n)
	var moves, turns [][]float64 // the last steps, the oldest first, and how the gradient changed along each
	var curvature []float64      // their inner products
	alpha := make([]float64, history)

	now := value(x, gradient)
	slow := 0
	for done := range limit {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		if !finite(now) || !finite(floats.Norm(gradient, 2)) {
			return done, errors.New("the loss is not a finite number: the features are too large")
		}
		if floats.Norm(gradient, math.Inf(1)) <= flatGradient || slow == slowRounds {
			return done, nil
		}
		floats.ScaleTo(direction, -1, gradient)
		for i := len(moves) - 1; i >= 0; i-- {
			alpha[i] = floats.Dot(moves[i], direction) / curvature[i]
			floats.AddScaled(direction, -alpha[i], turns[i])
		}
		if last := len(moves) - 1; last >= 0 {
			floats.Scale(curvature[last]/floats.Dot(turns[last], turns[last]), direction)
		}
		for i := range moves {
			beta := floats.Dot(turns[i], direction) / curvature[i]
			floats.AddScaled(direction, alpha[i]-beta, moves[i])
		}
		slope := floats.Dot(direction, gradient)
		if !(slope < 0) {
			return done, nil // rounding has the last word
		}
		slow++
		if -slope > slowProgress*math.Abs(now) {
			slow = 0
		}
		reached, ok := search(ctx, value, x, direction, next, nextGradient, now, slope)
		if err := ctx.Err(); err != nil {
			return done, err
		}
		if !ok {
			return done, nil
		}
		var move, turn []float64
		if len(moves) == history {
			move, turn = moves[0], turns[0]
			moves, turns, curvature = moves[1:], turns[1:], curvature[1:]
		} else {
			move, turn = make([]float64, n), make([]float64, n)
		}
		floats.SubTo(move, next, x)
		floats.SubTo(turn, nextGradient, gradient)
		if c := floats.Dot(move, turn); c > 0 {
			moves, turns, curvature = append(moves, move), append(turns, turn), append(curvature, c)
		}
		copy(x, next)
		gradient, nextGradient = nextGradient, gradient
		now = reached
		step(done + 1)
	}
	return limit, nil
}

// search looks along direction, where the function has the value now and the given slope, for a point that is no higher and where the
// slope is nearer to 0. It leaves the point in next and its gradient in gradient, and returns its value.
func search(ctx context.Context, value func(x, gradient []float64) float64, x, direction, next, gradient []float64, now, slope float64) (float64, bool) {
	low, high := 0.0, math.Inf(1)
	lowSlope := slope
	length := 1.0
	for range tries {
		floats.AddScaledTo(next, x, length, direction)
		reached := value(next, gradient)
		if ctx.Err() != nil {
			return 0, false
		}
		s := floats.Dot(gradient, direction)
		switch {
		case !finite(reached) || !finite(s):
			high = length
			length = (low + high) / 10
			continue
		case reached > now+noise*math.Abs(now) || s > -0.9*slope:
			high = length
			// Where the slope would be 0 if it changed evenly, kept off the ends.
			length = low + (high-low)*min(max(lowSlope/(lowSlope-s), 0.1), 0.5)
		case s < 0.9*slope:
			low, lowSlope = length, s
			if math.IsInf(high, 1) {
				length *= 4
			} else {
				length = (low + high) / 2
			}
		default:
			return reached, true
		}
	}
	return 0, false
}
