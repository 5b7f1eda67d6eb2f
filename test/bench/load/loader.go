package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
)

type loader struct {
	clients []*grpc.ClientConn
	streams int
	message []byte
}

// closed keeps a fixed number of calls under way: each worker starts its next call when one ends.
func (l loader) closed(duration time.Duration, do call) result {
	var mutex sync.Mutex
	var workers sync.WaitGroup
	var total result
	start := time.Now()
	deadline := start.Add(duration)
	for _, client := range l.clients {
		for range l.streams {
			workers.Add(1)
			go func() {
				defer workers.Done()
				var own result
				for time.Now().Before(deadline) {
					messages, err := do(context.Background(), client, l.message)
					own.Calls++
					own.Messages += messages
					own.count(err)
				}
				mutex.Lock()
				defer mutex.Unlock()
				total.add(own)
			}()
		}
	}
	workers.Wait()
	total.Seconds = time.Since(start).Seconds()
	return total
}

// paced starts calls at a fixed rate, whatever the server does. A latency counts from the moment the
// call was due, so a stall of the server shows in every call it delays.
func (l loader) paced(duration time.Duration, rate float64) result {
	var mutex sync.Mutex
	var calls sync.WaitGroup
	var total result
	var latencies []time.Duration
	gap := time.Duration(float64(time.Second) / rate)
	start := time.Now()
	number := int(duration / gap)
	for index := range number {
		due := start.Add(time.Duration(index) * gap)
		time.Sleep(time.Until(due))
		calls.Add(1)
		go func() {
			defer calls.Done()
			client := l.clients[index%len(l.clients)]
			messages, err := unaryCall(context.Background(), client, l.message)
			latency := time.Since(due)
			mutex.Lock()
			defer mutex.Unlock()
			total.Calls++
			total.Messages += messages
			total.count(err)
			latencies = append(latencies, latency)
		}()
	}
	calls.Wait()
	total.Seconds = time.Since(start).Seconds()
	slices.Sort(latencies)
	if len(latencies) > 0 {
		total.P50Ms = milliseconds(latencies[len(latencies)/2])
		total.P99Ms = milliseconds(latencies[len(latencies)*99/100])
		total.MaxMs = milliseconds(latencies[len(latencies)-1])
	}
	return total
}

func (r *result) count(err error) {
	if err == nil {
		return
	}
	r.Errors++
	if r.FirstFailure == "" {
		r.FirstFailure = err.Error()
	}
}

func (r *result) add(other result) {
	r.Calls += other.Calls
	r.Messages += other.Messages
	r.Errors += other.Errors
	if r.FirstFailure == "" {
		r.FirstFailure = other.FirstFailure
	}
}

func milliseconds(duration time.Duration) float64 {
	return float64(duration) / float64(time.Millisecond)
}
