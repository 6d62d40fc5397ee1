import { z } from 'zod';

/** REST bodies about the master key of the instance. Keys are named by ids, which say nothing about them. */

export const keyRotationSchema = z.object({
  /** Id of the key that values are sealed under now. */
  activeKey: z.string(),
  /** Where keys come from: OPENCONDUCTOR_SECRET_KEY, or `secret.key` in the data folder. */
  source: z.enum(['environment', 'file']),
  /** Whether new values get a data key of their own. False until the first rotation after an upgrade. */
  envelope: z.boolean(),
  /** Every process of the instance; `ready` when it has the key that is needed. */
  processes: z.array(z.object({ host: z.string(), pid: z.int(), ready: z.boolean() })),
  /** The rotation under way, or the last one. */
  rotation: z
    .object({
      phase: z.enum(['preparing', 'resealing', 'done']),
      from: z.string(),
      to: z.string(),
      startedBy: z.string(),
      startedAt: z.string(),
      endedAt: z.string().nullable(),
      /** Values that were under the old key; null until they are counted. */
      total: z.int().nullable(),
      done: z.int(),
      /** Values that could not be opened and stay as they are. */
      unreadable: z.int(),
    })
    .nullable(),
});
export type KeyRotationBody = z.infer<typeof keyRotationSchema>;
