/** A content to keep. */
export interface NewPayload {
  /** SHA-256 of `body`, hex. */
  sha256: string;
  /** A syntactically valid media type. */
  mimeType: string;
  body: Uint8Array;
}

/** What is known of a content without reading it. */
export interface PayloadFacts {
  sha256: string;
  mimeType: string;
  bytes: number;
}

/** Contents that are kept apart, to be read. Throws DATABASE_UNAVAILABLE when the store cannot be asked. */
export interface PayloadReader {
  /** Facts of a run's content, or null. */
  find(organizationId: string, runId: string, sha256: string): Promise<PayloadFacts | null>;
  /** Bytes of a run's content from `offset` on, at most `length`; empty behind the end or when there is none. */
  read(
    organizationId: string,
    runId: string,
    sha256: string,
    offset: number,
    length: number,
  ): Promise<Uint8Array>;
}

/**
 * Large parts of tools' answers, kept apart from the histories that refer to them (`$payload`). Content-addressed within a
 * run: each run has its own copy of what its history refers to, so that retention can drop both together. A run that is
 * handed references by another (retry, child, continue-as-new, a signal) gets its copies when the command is taken:
 * execution stores do this in `accept` and `commit`, or ahead of a commit in `adopt`.
 */
export interface Payloads extends PayloadReader {
  /** Keeps contents for a run; durable when it resolves. What is there already is left as it is. */
  put(organizationId: string, runId: string, payloads: readonly NewPayload[]): Promise<void>;
}
