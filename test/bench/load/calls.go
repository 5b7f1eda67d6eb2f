package main

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
)

// call does one call and returns how many messages came back.
type call func(ctx context.Context, client *grpc.ClientConn, message []byte) (int, error)

func unaryCall(ctx context.Context, client *grpc.ClientConn, message []byte) (int, error) {
	var answer []byte
	if err := client.Invoke(ctx, servicePath+"Echo", &message, &answer); err != nil {
		return 0, err
	}
	return 1, nil
}

func streamCall(ctx context.Context, client *grpc.ClientConn, message []byte) (int, error) {
	desc := &grpc.StreamDesc{ServerStreams: true}
	stream, err := client.NewStream(ctx, desc, servicePath+"Repeat")
	if err != nil {
		return 0, err
	}
	if err := stream.SendMsg(&message); err != nil {
		return 0, err
	}
	if err := stream.CloseSend(); err != nil {
		return 0, err
	}
	return drain(stream)
}

// pingPongCall keeps one stream with one message under way until the deadline.
func pingPongCall(deadline time.Time) call {
	return func(ctx context.Context, client *grpc.ClientConn, message []byte) (int, error) {
		desc := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
		stream, err := client.NewStream(ctx, desc, servicePath+"Converse")
		if err != nil {
			return 0, err
		}
		count := 0
		var answer []byte
		for time.Now().Before(deadline) {
			if err := stream.SendMsg(&message); err != nil {
				return count, err
			}
			if err := stream.RecvMsg(&answer); err != nil {
				return count, err
			}
			count++
		}
		if err := stream.CloseSend(); err != nil {
			return count, err
		}
		rest, err := drain(stream)
		return count + rest, err
	}
}

func drain(stream grpc.ClientStream) (int, error) {
	count := 0
	var answer []byte
	for {
		err := stream.RecvMsg(&answer)
		if errors.Is(err, io.EOF) {
			return count, nil
		}
		if err != nil {
			return count, err
		}
		count++
	}
}

// bytesCodec sends what it is given and hands out what it gets.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(value any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*value.(*[]byte))}, nil
}

func (bytesCodec) Unmarshal(data mem.BufferSlice, value any) error {
	*value.(*[]byte) = data.Materialize()
	return nil
}
