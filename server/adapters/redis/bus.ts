import type { z } from 'zod';
import type { MemoryBus } from '@/server/adapters/memory/bus';
import type { RedisLink } from '@/server/adapters/redis/link';
import type { Bus } from '@/server/ports/bus';

/** Largest message to or from Redis, in bytes; what is larger is left to polling. */
export const MAX_MESSAGE_BYTES = 64 * 1024;
/** Messages that wait to be sent. More are left to polling: a flood must not fill the memory while Redis is slow. */
const MAX_WAITING = 5_000;
const ENVELOPE_BYTES = 100;

/** Which messages leave the process, and what of them: fields that the schema does not name stay. Other channels stay whole. */
export type Crossing = Readonly<Record<string, z.ZodType>>;

export type BusCount = (outcome: 'sent' | 'received' | 'dropped', messages: number) => void;

export interface RedisBusOptions {
  link: RedisLink;
  /** Delivers within this process. */
  local: MemoryBus;
  crossing: Crossing;
  /** Names this process among those that share the bus. */
  processId: string;
  count: BusCount;
}

/**
 * The bus over Redis pub/sub. Within the process nothing changes, whatever Redis does. What goes out is gathered while a message
 * to Redis is under way, equal hints once; what comes in is checked like any input, for Redis is a network away.
 */
export function createRedisBus(options: RedisBusOptions): Bus {
  const { link, local, crossing, processId, count } = options;
  const waiting = new Map<string, Set<string>>();
  const heard = new Set<string>();
  let waits = 0;
  let sending = false;
  let closed = false;
  const topicOf = (channel: string) => `${link.prefix}bus:${channel}`;

  const listen = (channels: readonly string[]) => {
    if (channels.length === 0 || link.listener.status !== 'ready') return;
    // When it fails the connection is gone, and the next one begins with all channels.
    link.listener.subscribe(...channels.map(topicOf)).catch(() => undefined);
  };
  const listenToAll = () => listen([...heard]);
  const receive = (topic: string, text: string) => {
    const channel = topic.slice(topicOf('').length);
    const messages = read(text, crossing[channel], processId);
    if (messages === null) return count('dropped', 1);
    if (messages.length > 0) count('received', messages.length);
    for (const message of messages) local.deliver(channel, message, 'elsewhere');
  };
  link.listener.on('ready', listenToAll);
  link.listener.on('message', receive);

  const send = async () => {
    sending = true;
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.size > 0 && !closed) {
      const batch = [...waiting];
      waiting.clear();
      waits = 0;
      await Promise.all(
        batch.flatMap(([channel, texts]) =>
          inEnvelopes(texts, processId).map(({ text, messages }) =>
            link.commands.publish(topicOf(channel), text).then(
              () => count('sent', messages),
              () => count('dropped', messages),
            ),
          ),
        ),
      );
    }
    sending = false;
  };

  return {
    publish(channel, message) {
      local.publish(channel, message);
      const schema = crossing[channel];
      if (schema === undefined || closed) return;
      const parsed = schema.safeParse(message);
      const text = parsed.success ? JSON.stringify(parsed.data) : null;
      const fits = text !== null && Buffer.byteLength(text) <= MAX_MESSAGE_BYTES - ENVELOPE_BYTES;
      if (!fits || link.commands.status !== 'ready' || waits >= MAX_WAITING) return count('dropped', 1);
      const texts = waiting.get(channel) ?? new Set();
      waiting.set(channel, texts);
      if (!texts.has(text)) waits += 1;
      texts.add(text);
      if (!sending) void send();
    },
    subscribe(channel, receiver) {
      if (crossing[channel] !== undefined && !heard.has(channel)) {
        heard.add(channel);
        listen([channel]);
      }
      return local.subscribe(channel, receiver);
    },
    async close() {
      closed = true;
      waiting.clear();
      link.listener.off('ready', listenToAll);
      link.listener.off('message', receive);
      await local.close();
    },
  };
}

/** Messages packed into as few texts as their size allows. */
function inEnvelopes(texts: Iterable<string>, from: string): { text: string; messages: number }[] {
  const packed: string[][] = [];
  let room = 0;
  for (const text of texts) {
    const bytes = Buffer.byteLength(text) + 1;
    if (bytes > room) {
      packed.push([]);
      room = MAX_MESSAGE_BYTES - ENVELOPE_BYTES;
    }
    packed.at(-1)?.push(text);
    room -= bytes;
  }
  return packed.map((some) => ({
    text: `{"from":${JSON.stringify(from)},"messages":[${some.join(',')}]}`,
    messages: some.length,
  }));
}

/** What a text from Redis holds for this process: nothing when it is its own, null when it is none of ours. */
function read(text: string, schema: z.ZodType | undefined, self: string): unknown[] | null {
  if (schema === undefined || Buffer.byteLength(text) > MAX_MESSAGE_BYTES) return null;
  try {
    const { from, messages } = JSON.parse(text) as { from?: unknown; messages?: unknown };
    if (from === self) return [];
    return schema.array().parse(messages);
  } catch {
    return null;
  }
}
