package main

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"
	v1alphapb "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
)

// registerV1Alpha serves what older servers do: v1alpha without v1.
func registerV1Alpha(server *grpc.Server) {
	options := reflection.ServerOptions{Services: server}
	v1alphapb.RegisterServerReflectionServer(server, reflection.NewServer(options))
}
