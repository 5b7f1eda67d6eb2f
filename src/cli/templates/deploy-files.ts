import type { Names } from "./names.ts";
import type { Files } from "./service-files.ts";

/** How to ship a service: an image and its Kubernetes objects. */
export function deployFiles(names: Names): Files {
  return {
    Dockerfile: DOCKERFILE,
    ".dockerignore": "node_modules/\ndist/\ngen/\n.git/\n",
    [`k8s/${names.kebab}.yaml`]: kubernetes(names),
  };
}

const DOCKERFILE = `FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:22-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/gen ./gen
COPY --from=build /app/dist ./dist
USER node
EXPOSE 5000
HEALTHCHECK CMD ["node_modules/.bin/connectum", "health", "localhost:5000"]
CMD ["node", "--enable-source-maps", "dist/server.js"]
`;

function kubernetes({ kebab }: Names): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${kebab}
  labels:
    app.kubernetes.io/name: ${kebab}
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: ${kebab}
  strategy:
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  template:
    metadata:
      labels:
        app.kubernetes.io/name: ${kebab}
    spec:
      # Longer than the drain of the server, which takes 30 s at most.
      terminationGracePeriodSeconds: 45
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: ${kebab}
          image: ${kebab}:latest
          ports:
            - name: rpc
              containerPort: 5000
          env:
            - name: PORT
              value: "5000"
          # A draining pod is alive and not ready: it must not be restarted.
          livenessProbe:
            httpGet:
              path: /livez
              port: rpc
          readinessProbe:
            httpGet:
              path: /readyz
              port: rpc
            periodSeconds: 2
          startupProbe:
            httpGet:
              path: /readyz
              port: rpc
            periodSeconds: 1
            failureThreshold: 30
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              memory: 512Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: ["ALL"]
---
apiVersion: v1
kind: Service
metadata:
  name: ${kebab}
  labels:
    app.kubernetes.io/name: ${kebab}
spec:
  # gRPC clients keep one connection: without a headless service or a mesh, one pod gets all calls.
  clusterIP: None
  selector:
    app.kubernetes.io/name: ${kebab}
  ports:
    - name: rpc
      port: 5000
      targetPort: rpc
      appProtocol: kubernetes.io/h2c
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: ${kebab}
spec:
  minAvailable: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: ${kebab}
`;
}
