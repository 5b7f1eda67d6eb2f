// A gRPC server of another implementation: grpc-go's interop service with reflection.
// It prints its address, and ends when its standard input does.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/interop"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

var (
	cert     = flag.String("cert", "", "PEM file; turns TLS on")
	key      = flag.String("key", "", "PEM file")
	clientCA = flag.String("client-ca", "", "PEM file; clients must have a certificate of it")
	reflects = flag.String("reflection", "both", "v1, v1alpha, both or none")
	token    = flag.String("token", "", "bearer token every call must carry, reflection included")
)

func main() {
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(options()...)
	testpb.RegisterTestServiceServer(server, interop.NewTestServer())
	healthpb.RegisterHealthServer(server, health.NewServer())
	switch *reflects {
	case "v1":
		reflection.RegisterV1(server)
	case "v1alpha":
		registerV1Alpha(server)
	case "both":
		reflection.Register(server)
	}
	fmt.Println(listener.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		server.Stop()
	}()
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}

func options() []grpc.ServerOption {
	options := []grpc.ServerOption{
		grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			if err := authorize(ctx); err != nil {
				return nil, err
			}
			response, err := handler(ctx, req)
			return response, withDetails(err)
		}),
		grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			if err := authorize(stream.Context()); err != nil {
				return err
			}
			return withDetails(handler(srv, stream))
		}),
	}
	if *cert != "" {
		options = append(options, grpc.Creds(credentials.NewTLS(tlsConfig())))
	}
	return options
}

func authorize(ctx context.Context) error {
	if *token == "" {
		return nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	for _, value := range md.Get("authorization") {
		if value == "Bearer "+*token {
			return nil
		}
	}
	return status.Error(codes.Unauthenticated, "no token, no answer")
}

// withDetails attaches what Google's services attach, and one that only the schema of the server has.
func withDetails(err error) error {
	if err == nil {
		return nil
	}
	detailed, detailErr := status.Convert(err).WithDetails(
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: "response_status.code", Description: "must be 0"},
		}},
		&errdetails.RetryInfo{RetryDelay: durationpb.New(1500 * time.Millisecond)},
		&testpb.EchoStatus{Code: 7, Message: "known through reflection only"},
	)
	if detailErr != nil {
		return err
	}
	return detailed.Err()
}

func tlsConfig() *tls.Config {
	pair, err := tls.LoadX509KeyPair(*cert, *key)
	if err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	if *clientCA != "" {
		pem, err := os.ReadFile(*clientCA)
		if err != nil {
			log.Fatal(err)
		}
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AppendCertsFromPEM(pem)
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config
}
