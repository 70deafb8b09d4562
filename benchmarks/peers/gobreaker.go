// SPDX-License-Identifier: BSL-1.0

// Measures sony/gobreaker, and prints one line for brownout_peers --given.
package main

import (
	"errors"
	"fmt"
	"runtime"
	"sort"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker"
)

const (
	batchLength   = 200 * time.Microsecond
	batches       = 3000
	fewestBatches = 20
	shorter       = 4 // batches of two threads: much shorter ones would end before Go's lock changes hands
)

var closed = gobreaker.NewCircuitBreaker(gobreaker.Settings{})
var opened = gobreaker.NewCircuitBreaker(gobreaker.Settings{
	Timeout:     24 * time.Hour,
	ReadyToTrip: func(gobreaker.Counts) bool { return true },
})

func succeed(times int) {
	for i := 0; i < times; i++ {
		if _, err := closed.Execute(func() (interface{}, error) { return nil, nil }); err != nil {
			panic("gobreaker refused a call")
		}
	}
}

func beRefused(times int) {
	for i := 0; i < times; i++ {
		if _, err := opened.Execute(func() (interface{}, error) { return nil, nil }); err == nil {
			panic("gobreaker admitted a call")
		}
	}
}

// Nanoseconds for one of so many.
func timed(batch func(int), times int) float64 {
	began := time.Now()
	batch(times)
	return float64(time.Since(began).Nanoseconds()) / float64(times)
}

func timesForABatch(batch func(int)) int {
	for times := 1; ; times *= 2 {
		if timed(batch, times)*float64(times) > float64(batchLength) {
			return times
		}
	}
}

func median(costs []float64) float64 {
	sort.Float64s(costs)
	return costs[len(costs)/2]
}

func alone(batch func(int)) float64 {
	times := timesForABatch(batch)
	costs := make([]float64, batches)
	for i := range costs {
		costs[i] = timed(batch, times)
	}
	return median(costs)
}

type timedBatch struct{ began, ended time.Time }

func run(batch func(int), times int) timedBatch {
	began := time.Now()
	batch(times)
	return timedBatch{began, time.Now()}
}

// Waits until `number` is `least`, without giving the processor away.
func spin(number *int64, least int64) {
	for atomic.LoadInt64(number) < least {
	}
}

// The mean cost to each of two threads. Batches that did not overlap are left out; none when too few did.
func together(batch func(int)) string {
	times := (timesForABatch(batch) + shorter - 1) / shorter
	var ready, started, ended int64
	var others [batches]timedBatch
	go func() {
		runtime.LockOSThread()
		for number := int64(1); number <= batches; number++ {
			atomic.StoreInt64(&ready, number)
			spin(&started, number)
			others[number-1] = run(batch, times)
			atomic.StoreInt64(&ended, number)
		}
	}()
	var costs []float64
	for number := int64(1); number <= batches; number++ {
		spin(&ready, number)
		atomic.StoreInt64(&started, number)
		mine := run(batch, times)
		spin(&ended, number)
		other := others[number-1]
		sum := mine.ended.Sub(mine.began) + other.ended.Sub(other.began)
		if other.ended.Before(mine.ended) {
			mine.ended = other.ended
		}
		if other.began.After(mine.began) {
			mine.began = other.began
		}
		if overlap := mine.ended.Sub(mine.began); float64(overlap) > 0.8*float64(sum)/2 {
			costs = append(costs, float64(sum)/2/float64(times))
		}
	}
	if len(costs) < fewestBatches {
		return "-"
	}
	return fmt.Sprintf("%.1f", median(costs))
}

func main() {
	_, _ = opened.Execute(func() (interface{}, error) { return nil, errors.New("failed") })
	fmt.Printf("sony/gobreaker (%s)\t6 failures in a row\t%.1f\t%s\t%.1f\n", runtime.Version(), alone(succeed),
		together(succeed), alone(beRefused))
}
