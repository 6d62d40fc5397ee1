import type { InboundDeliveryBody, WebhookAction, WebhookScheme } from '@/lib/protocol/webhooks';

/** What a person decides about a way in. */
export interface WebhookInFacts {
  enabled: boolean;
  scheme: WebhookScheme;
  action: WebhookAction;
  /** Expression that a delivery has to fulfil to be acted on. */
  when: string | null;
}

/** A stored way in; never its secret. Times in epoch milliseconds. */
export interface WebhookIn extends WebhookInFacts {
  /** Random; the last part of its address. */
  id: string;
  organizationId: string;
  name: string;
  /** Raised by each change. */
  revision: number;
  previousUntil: number | null;
  lastAt: number | null;
  createdBy: string;
  createdAt: number;
  updatedAt: number;
}

/** What became of one delivery. `deliveryId` is the sender's. */
export interface InboundDelivery {
  deliveryId: string;
  status: InboundDeliveryBody['status'];
  runId: string | null;
  code: string | null;
  error: string | null;
  bytes: number;
}

/** `stale`: there was another revision than the one that the writer had seen. */
export type Changed<T> = { done: T } | 'stale' | 'missing';

/** Ways in, within one organisation. An adapter seals secrets before it stores them. */
export interface WebhookInStore {
  /** The organisation of an id that somebody posted to; null when there is none. Asked before anybody is known. */
  organizationOf(id: string): Promise<string | null>;
  list(organizationId: string): Promise<WebhookIn[]>;
  get(organizationId: string, name: string): Promise<WebhookIn | null>;
  byId(organizationId: string, id: string): Promise<WebhookIn | null>;
  /** Null when the name is taken. */
  create(
    hook: Pick<WebhookIn, 'id' | 'organizationId' | 'name' | 'createdBy'> & WebhookInFacts,
    secret: string,
  ): Promise<WebhookIn | null>;
  /** `revision` is the one that the writer has seen; null does not compare. */
  update(
    organizationId: string,
    name: string,
    facts: WebhookInFacts,
    revision: number | null,
  ): Promise<Changed<WebhookIn>>;
  /** False when there was none. */
  remove(organizationId: string, name: string): Promise<boolean>;
  /** Puts a new secret in place; the old one stays good for `graceMs`. Null when there is no such way in. */
  rotate(organizationId: string, name: string, secret: string, graceMs: number): Promise<WebhookIn | null>;
  /** Secrets that are good now, the present one first. Throws SECRET_UNREADABLE. */
  secrets(organizationId: string, id: string): Promise<string[]>;
  /** What an earlier delivery with the same id led to, when it was taken; null for a new one. */
  taken(organizationId: string, id: string, deliveryId: string): Promise<InboundDelivery | null>;
  /** Notes a delivery down; of each webhook only the newest are kept. */
  record(organizationId: string, id: string, delivery: InboundDelivery): Promise<void>;
  /** Newest first, behind the delivery number `before`. */
  deliveries(
    organizationId: string,
    id: string,
    limit: number,
    before: number | null,
  ): Promise<InboundDeliveryBody[]>;
}
