/** The states of a server, in the order they are passed. */
export const ServerState = {
  CREATED: "created",
  STARTING: "starting",
  RUNNING: "running",
  STOPPING: "stopping",
  STOPPED: "stopped",
} as const;
export type ServerState = (typeof ServerState)[keyof typeof ServerState];

/** The events of a server. */
export const LifecycleEvent = {
  /** The start sequence begins. */
  START: "start",
  /** The server is bound and accepts requests. */
  READY: "ready",
  /** The stop sequence begins; everything is still served. */
  STOPPING: "stopping",
  /** The server is fully stopped. */
  STOP: "stop",
  /** Something failed beside a call; the listener gets the error. */
  ERROR: "error",
} as const;
export type LifecycleEvent = (typeof LifecycleEvent)[keyof typeof LifecycleEvent];

/** A listener of a {@link LifecycleEvent}; only `error` passes something. */
export type LifecycleListener = (error?: unknown) => void;
