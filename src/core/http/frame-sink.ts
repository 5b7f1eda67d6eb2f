/** What a session writes its frames to, with room for a whole frame of ours between two of its own. */
export interface FrameSink {
  readonly bytesRead: number;
  /** Plaintext, frames of the session included. */
  readonly bytesWritten: number;
  /** Either all of the frame is written or nothing; "busy" may work a moment later. */
  writeFrame(frame: Uint8Array): "written" | "busy" | "impossible";
}
