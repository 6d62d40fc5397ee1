/** Whether this very process has published a message, or another one of the same instance. */
export type Origin = 'here' | 'elsewhere';

/**
 * Publish/subscribe between parts of one process (default) or of many (Redis). Delivery is a hint: tables are the truth.
 *
 * Receivers in the publisher's process get the message itself, in the publisher's turn. Other processes get a copy of those
 * fields that may leave a process, if they get anything: messages may be lost, come twice, or come together with others.
 */
export interface Bus {
  publish(channel: string, message: unknown): void;
  /** Returns a function that ends the subscription. */
  subscribe(channel: string, receive: (message: unknown, from: Origin) => void): () => void;
  close(): Promise<void>;
}
