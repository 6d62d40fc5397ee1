import type { Bus, Origin } from '@/server/ports/bus';

/** A bus within this process, which can also be told what others have published. */
export interface MemoryBus extends Bus {
  /** Gives a message to the receivers of a channel. */
  deliver(channel: string, message: unknown, from: Origin): void;
}

/** The in-process bus: receivers are called in the publisher's turn, one failing receiver does not stop the others. */
export function createMemoryBus(onError: (error: unknown) => void = () => {}): MemoryBus {
  const channels = new Map<string, Set<(message: unknown, from: Origin) => void>>();
  const deliver = (channel: string, message: unknown, from: Origin) => {
    for (const receive of channels.get(channel) ?? []) {
      try {
        receive(message, from);
      } catch (error) {
        onError(error);
      }
    }
  };
  return {
    deliver,
    publish: (channel, message) => deliver(channel, message, 'here'),
    subscribe(channel, receive) {
      const receivers = channels.get(channel) ?? new Set();
      channels.set(channel, receivers);
      receivers.add(receive);
      return () => {
        receivers.delete(receive);
      };
    },
    async close() {
      channels.clear();
    },
  };
}
