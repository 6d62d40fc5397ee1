import { z } from 'zod';
import { plainText } from '@/lib/protocol/api-runs';
import { sensitivePathSchema } from '@/lib/protocol/sensitive';
import { serverNameSchema } from '@/lib/protocol/server-config';

/** REST bodies of /api/v1/settings, and the table of what an organisation can set. */

/** Largest payload that any instance may be set up for (OPENCONDUCTOR_MAX_PAYLOAD_BYTES). */
const GIBIBYTE = 1024 * 1024 * 1024;

/** What an organisation can set for itself: the values each setting may have, and what it does. */
export const ORGANIZATION_SETTINGS = {
  'tools.changes': {
    schema: z.enum(['off', 'warn', 'block']),
    allowed: 'off, warn or block',
    description:
      'What a tool whose definition changed leads to, for servers that say nothing of their own: nothing, a warning, or no calls until it is accepted.',
  },
  'servers.probe': {
    schema: z.boolean(),
    allowed: 'true or false',
    description: 'Whether remote servers are asked now and then whether they are well.',
  },
  'runs.servers': {
    schema: z.array(serverNameSchema).min(1).max(100).nullable(),
    allowed: 'a list of server names, or null for any',
    description: 'Servers that a run may use when its start names none.',
  },
  'runs.maxInputBytes': {
    schema: z.int().min(2).max(GIBIBYTE),
    allowed: 'bytes, never more than limits.payloadBytes',
    description: 'Largest input with which a run may be started.',
  },
  'runs.sensitive': {
    schema: z.array(sensitivePathSchema).max(200),
    allowed: 'a list of *.KEY and paths such as /input/ssn',
    description:
      'Places and keys that are masked in the data of every run, beside those that its workflow marks.',
  },
} as const;

export type SettingKey = keyof typeof ORGANIZATION_SETTINGS;
export const SETTING_KEYS = Object.keys(ORGANIZATION_SETTINGS) as SettingKey[];

/** Every setting of an organisation with a value: its own, or the default. */
export type OrganizationSettings = {
  [K in SettingKey]: z.infer<(typeof ORGANIZATION_SETTINGS)[K]['schema']>;
};

/** Where a value comes from: built in, the environment of the process, or the organisation itself. */
export const settingSourceSchema = z.enum(['default', 'environment', 'organisation']);
export type SettingSource = z.infer<typeof settingSourceSchema>;

/** One setting as it holds now. */
export const settingSchema = z.object({
  key: z.string(),
  value: z.json(),
  source: settingSourceSchema,
  editable: z.boolean().describe('False for what only the environment of the process decides.'),
  allowed: z.string(),
  description: z.string(),
});
export type Setting = z.infer<typeof settingSchema>;

/** All settings. `version` counts changes and is what the ETag is made of. */
export const settingsSchema = z.object({
  items: z.array(settingSchema),
  version: z.int(),
  updatedAt: z.string().nullable(),
  updatedBy: z.string().nullable(),
});
export type Settings = z.infer<typeof settingsSchema>;

/** Settings to change; null takes the organisation's own value away. */
export const patchSettingsBodySchema = z.strictObject({
  values: z
    .record(plainText(100), z.json())
    .refine((values) => Object.keys(values).length > 0, 'must name a setting'),
});

/** One setting of the environment; the values of secrets are never shown. */
export const instanceSettingSchema = z.object({
  name: z.string().describe('Name of the environment variable.'),
  value: z.json(),
  source: z.enum(['default', 'environment']),
  masked: z.boolean(),
  description: z.string(),
});
export type InstanceSetting = z.infer<typeof instanceSettingSchema>;
export const instanceSettingsSchema = z.object({ items: z.array(instanceSettingSchema) });
