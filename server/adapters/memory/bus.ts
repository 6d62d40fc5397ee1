import type { Bus } from '@/server/ports/bus';

/** The in-process bus: receivers are called in the publisher's turn, one failing receiver does not stop the others. */
export function createMemoryBus(onError: (error: unknown) => void = () => {}): Bus {
  const channels = new Map<string, Set<(message: unknown) => void>>();
  return {
    publish(channel, message) {
      for (const receive of channels.get(channel) ?? []) {
        try {
          receive(message);
        } catch (error) {
          onError(error);
        }
      }
    },
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
