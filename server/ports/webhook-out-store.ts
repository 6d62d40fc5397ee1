import type { Attempt, OutboundState, WebhookFormat } from '@/lib/protocol/webhooks';
import type { JsonObject } from '@/lib/shared/json';
import type { Changed } from '@/server/ports/webhook-in-store';

/** What a person decides about a subscription, besides its address. */
export interface WebhookOutFacts {
  format: WebhookFormat;
  /** Everything when empty. */
  events: readonly string[];
  workflow: string | null;
  enabled: boolean;
}

/** A stored subscription; neither its address nor its secret. Times in epoch milliseconds. */
export interface WebhookOut extends WebhookOutFacts {
  id: string;
  organizationId: string;
  name: string;
  revision: number;
  /** The address as it may be shown. */
  target: string;
  failingSince: number | null;
  disabledAt: number | null;
  disabledReason: string | null;
  previousUntil: number | null;
  createdBy: string;
  createdAt: number;
  updatedAt: number;
}

/** Where a delivery goes and what it is signed with: the present secret first, then the one before it. */
export interface Destination {
  url: string;
  secrets: string[];
}

/** One delivery. `id` is what receivers know it by; it stays the same over attempts and replays. */
export interface OutboundDelivery {
  id: string;
  organizationId: string;
  webhookId: string;
  /** Names what happened: a subscription hears of it once. */
  eventKey: string;
  event: string;
  payload: JsonObject;
  state: OutboundState;
  attempts: number;
  replays: number;
  nextAt: number;
  createdAt: number;
  settledAt: number | null;
  /** Latest attempts, oldest first. */
  history: Attempt[];
}

/** A delivery to make. */
export type NewDelivery = Pick<
  OutboundDelivery,
  'id' | 'organizationId' | 'webhookId' | 'eventKey' | 'event' | 'payload'
>;

/** Which address a change brings; the stored one stays when it is null. */
export interface Address {
  url: string;
  target: string;
}

/** Subscriptions as people work on them, within one organisation. An adapter seals addresses and secrets. */
export interface WebhookOutStore {
  list(organizationId: string): Promise<WebhookOut[]>;
  get(organizationId: string, name: string): Promise<WebhookOut | null>;
  /** Hears of what is committed from now on. Null when the name is taken. */
  create(
    hook: Pick<WebhookOut, 'id' | 'organizationId' | 'name' | 'createdBy'> & WebhookOutFacts,
    address: Address,
    secret: string,
  ): Promise<WebhookOut | null>;
  /** One that is switched on again hears of what is committed from then on, and counts as not failing. */
  update(
    organizationId: string,
    name: string,
    facts: WebhookOutFacts,
    address: Address | null,
    revision: number | null,
  ): Promise<Changed<WebhookOut>>;
  remove(organizationId: string, name: string): Promise<boolean>;
  rotate(organizationId: string, name: string, secret: string, graceMs: number): Promise<WebhookOut | null>;
  /** Null when the subscription is gone. Throws SECRET_UNREADABLE. */
  destination(organizationId: string, id: string): Promise<Destination | null>;
  /** Adds a delivery outside the streams: a test. */
  add(delivery: NewDelivery): Promise<OutboundDelivery>;
  /** Newest first, behind the delivery `before`. */
  deliveries(
    organizationId: string,
    webhookId: string,
    query: { limit: number; before: string | null; state: OutboundState | null },
  ): Promise<OutboundDelivery[]>;
  delivery(organizationId: string, webhookId: string, id: string): Promise<OutboundDelivery | null>;
  /** Sends settled ones once more, as soon as possible: one by id, or the failed ones made since a time. */
  replay(
    organizationId: string,
    webhookId: string,
    which: { id: string } | { since: number },
  ): Promise<number>;
}

/** A subscription as events are matched with it. */
export interface Subscription {
  id: string;
  events: readonly string[];
  workflow: string | null;
  /** Whoever made it: it tells nothing that is hidden from them. */
  createdBy?: string;
}

/** A committed event that somebody may want to hear of. `data` is null when it is too large to look at. */
export interface SourceEvent {
  organizationId: string;
  runId: string;
  seq: number;
  type: string;
  at: number;
  workflow: string;
  workflowId: string;
  version: number;
  data: JsonObject | null;
}

/** An event with those that heard of nothing before it. */
export interface Offered {
  event: SourceEvent;
  subscriptions: readonly Subscription[];
}

/** What an attempt led to. `retryAfterMs` null = there will be no other. */
export interface AttemptOutcome {
  attempt: Attempt;
  delivered: boolean;
  retryAfterMs: number | null;
}

/** Whose events a dispatch looked through, and what that ended with: null when it was done. */
export interface Dispatched {
  organizationId: string;
  error: unknown;
}

/** The queue of deliveries, across organisations. Times are the database's. */
export interface WebhookQueue {
  /**
   * Looks through events that were committed since the last time, of one organisation that nobody else works on: of those
   * with something new, the one that was served longest ago. `match` says what to send. Deliveries and the new place are
   * stored together, so that nothing is lost or told twice. When that fails for an organisation nothing of it is stored, and
   * it rests for some seconds while others have their turn. Null when there was nothing new anywhere. Throws when the
   * database is away.
   */
  dispatch(
    types: readonly string[],
    match: (offered: readonly Offered[]) => NewDelivery[] | Promise<NewDelivery[]>,
  ): Promise<Dispatched | null>;
  /**
   * Takes deliveries that are due; nobody else gets them for `leaseMs`. A process that dies meanwhile leaves them to others.
   * Those of whoever has least under way come first, and with what is under way (`busy`) nobody gets more than a few: each
   * subscription, and each organisation.
   */
  claim(
    limit: number,
    leaseMs: number,
    busy?: readonly Pick<OutboundDelivery, 'organizationId' | 'webhookId'>[],
  ): Promise<(OutboundDelivery & { format: WebhookFormat })[]>;
  /** Notes an attempt down. Gives since when every attempt for the subscription has failed; null after a good one. */
  settle(delivery: OutboundDelivery, outcome: AttemptOutcome): Promise<number | null>;
  /** Switches a subscription off and gives its waiting deliveries up. Tells the others of `event`. False when it was off. */
  disable(
    delivery: Pick<OutboundDelivery, 'organizationId' | 'webhookId'>,
    reason: string,
    tell: (subscription: Subscription, name: string) => NewDelivery | null,
  ): Promise<boolean>;
  /** Removes what settled more than `days` ago; gives how many. */
  forget(days: number): Promise<number>;
}

/** The way to receivers, behind the guard against addresses that may not be reached. */
export interface WebhookSender {
  /** Throws ADDRESS_NOT_ALLOWED, INVALID_INPUT. */
  check(url: string): void;
  /** Posts; throws when there is no answer in time. `retryAfterMs` is what the receiver asks for, if it does. */
  post(
    url: string,
    body: string,
    headers: Record<string, string>,
    timeoutMs: number,
  ): Promise<{ status: number; retryAfterMs: number | null }>;
}
