/** Publish/subscribe between parts of one process (default) or of many (Redis). Delivery is a hint: tables are the truth. */
export interface Bus {
  publish(channel: string, message: unknown): void;
  /** Returns a function that ends the subscription. */
  subscribe(channel: string, receive: (message: unknown) => void): () => void;
  close(): Promise<void>;
}
