import type { z } from 'zod';
import { ACTIVITY_EVENTS } from '@/lib/protocol/events-activity';
import type { EventEntry } from '@/lib/protocol/events-common';
import { NODE_EVENTS } from '@/lib/protocol/events-node';
import { RUN_EVENTS } from '@/lib/protocol/events-run';

/**
 * Every event a run's history can hold. Names are Temporal's (without prefix) where Temporal has the event, ours
 * where it has none. docs/events.md is generated from this.
 */
export const EVENT_CATALOGUE = {
  ...RUN_EVENTS,
  ...ACTIVITY_EVENTS,
  ...NODE_EVENTS,
} as const satisfies Record<string, EventEntry>;

export type EventType = keyof typeof EVENT_CATALOGUE;

/** Payload of one event type. */
export type EventData<T extends EventType> = z.infer<(typeof EVENT_CATALOGUE)[T]['data']>;

/** One event: type, time (epoch ms) and payload. */
export type EngineEventOf<T extends EventType> = { type: T; at: number; data: EventData<T> };

/** One event of any type, told apart by `type`. */
export type EngineEvent = { [T in EventType]: EngineEventOf<T> }[EventType];

/** True for a name of the catalogue. */
export function isEventType(name: string): name is EventType {
  return Object.hasOwn(EVENT_CATALOGUE, name);
}
