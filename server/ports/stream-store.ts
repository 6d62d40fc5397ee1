import type { Topic } from '@/lib/protocol/api';
import type { StreamEvent } from '@/lib/protocol/event';

/** Numbers that the relay just gave: `from` … `to` of one stream. */
export interface StreamRange {
  organizationId: string;
  topic: Topic;
  from: number;
  to: number;
}

/** The numbered order of events that watchers read. A stream is (organisation, topic). */
export interface StreamStore {
  /** Numbers up to `limit` committed batches; resolves with the ranges given (empty when there was nothing). */
  relay(limit: number): Promise<StreamRange[]>;
  /** The stream's newest number, 0 when it has none. */
  head(organizationId: string, topic: Topic): Promise<number>;
  /** Entries with a number larger than `after`, in order, at most `limit`. Payloads over 16 KB are left out (`truncated`). */
  read(organizationId: string, topic: Topic, after: number, limit: number): Promise<StreamEvent[]>;
  /**
   * Whether the entry behind `after` is gone (retention drops old ones): then the number behind which reading goes on; null
   * when that entry is there, or has not come yet.
   */
  trimmed(organizationId: string, topic: Topic, after: number): Promise<number | null>;
}
