// Command load puts gRPC streams, ping-pong and paced unary calls on a server and prints what it
// measured as one line of JSON. Messages are opaque bytes here, so that the load costs little.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const servicePath = "/connectum.bench.v1.EchoService/"

// result is what every mode prints.
type result struct {
	Calls        int     `json:"calls"`
	Messages     int     `json:"messages"`
	Errors       int     `json:"errors"`
	Seconds      float64 `json:"seconds"`
	P50Ms        float64 `json:"p50Ms,omitempty"`
	P99Ms        float64 `json:"p99Ms,omitempty"`
	MaxMs        float64 `json:"maxMs,omitempty"`
	FirstFailure string  `json:"firstFailure,omitempty"`
}

func main() {
	mode := flag.String("mode", "", "stream, pingpong, unary, paced or idle")
	address := flag.String("address", "", "host:port")
	connections := flag.Int("connections", 8, "number of HTTP/2 connections")
	streams := flag.Int("streams", 16, "calls under way at once on each connection")
	seconds := flag.Float64("seconds", 3, "how long")
	rate := flag.Float64("rate", 1000, "paced: calls per second")
	request := flag.String("request", "", "file with the request message")
	flag.Parse()

	message, err := os.ReadFile(*request)
	if err != nil && *mode != "idle" {
		fail(err)
	}
	clients := make([]*grpc.ClientConn, *connections)
	for index := range clients {
		clients[index] = dial(*address)
	}
	load := loader{clients: clients, streams: *streams, message: message}
	duration := time.Duration(*seconds * float64(time.Second))
	load.connect()
	switch *mode {
	case "stream":
		print(load.closed(duration, streamCall))
	case "pingpong":
		print(load.closed(duration, pingPongCall(time.Now().Add(duration))))
	case "unary":
		print(load.closed(duration, unaryCall))
	case "paced":
		print(load.paced(duration, *rate))
	case "idle":
		load.idle()
	default:
		fail(fmt.Errorf("unknown mode %q", *mode))
	}
}

func dial(address string) *grpc.ClientConn {
	client, err := grpc.NewClient(
		"passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(bytesCodec{})),
		// Without these a stream of ours would wait for the window of a client of ours.
		grpc.WithInitialWindowSize(1<<20),
		grpc.WithInitialConnWindowSize(1<<24),
	)
	if err != nil {
		fail(err)
	}
	return client
}

// connect opens every connection, so that no call waits for one.
func (l loader) connect() {
	for _, client := range l.clients {
		client.Connect()
		for state := client.GetState(); state.String() != "READY"; state = client.GetState() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			isChanged := client.WaitForStateChange(ctx, state)
			cancel()
			if !isChanged {
				fail(fmt.Errorf("a connection stays %s", state))
			}
		}
	}
}

// idle says that the connections are open, and keeps them until its input ends.
func (l loader) idle() {
	fmt.Println("{}")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func print(value result) {
	line, err := json.Marshal(value)
	if err != nil {
		fail(err)
	}
	fmt.Println(string(line))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "load:", err)
	os.Exit(1)
}
