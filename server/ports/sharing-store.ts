import type { ObjectKind, ShareLevel } from '@/lib/protocol/permissions';
import type { Subject } from '@/lib/protocol/sharing';

/** One share of an object. */
export interface Share {
  subject: Subject;
  level: ShareLevel;
}

/** Who reaches one object, beside what roles say. */
export interface Sharing {
  kind: ObjectKind;
  /** Name of the workflow, id of the view. */
  object: string;
  restricted: boolean;
  /** Id of whoever made the object. */
  creator: string | null;
  shares: Share[];
  version: number;
}

/** Restrictions and shares, within one organisation. */
export interface SharingStore {
  /** Every object that is restricted or shared. */
  all(organizationId: string): Promise<Sharing[]>;
  /** Null when nothing was ever said about the object. */
  get(organizationId: string, kind: ObjectKind, object: string): Promise<Sharing | null>;
  /** Replaces version `seen` (0: nothing was said yet); null when that is not the newest one any more. */
  put(
    organizationId: string,
    sharing: Omit<Sharing, 'version'>,
    seen: number,
    by: string,
  ): Promise<Sharing | null>;
  /** Forgets an object that is gone. */
  remove(organizationId: string, kind: ObjectKind, object: string): Promise<void>;
  /** Whoever made an object, restricted or not; undefined when there is no such object. */
  creatorOf(organizationId: string, kind: ObjectKind, object: string): Promise<string | undefined>;
  /** The workflow of a run, hidden or not; null when there is no such run. */
  workflowOf(organizationId: string, runId: string): Promise<string | null>;
}

/** Somebody to share with. */
export interface Named {
  id: string;
  name: string;
  /** Of a user. */
  email?: string;
}

/** Whom an organisation has. */
export interface SubjectDirectory {
  users(organizationId: string): Promise<Named[]>;
  teams(organizationId: string): Promise<Named[]>;
}
