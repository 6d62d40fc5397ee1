import { pageSchema } from '@/lib/protocol/api';
import {
  backfillBodySchema,
  createScheduleBodySchema,
  noteBodySchema,
  scheduleDetailSchema,
  scheduleSpecSchema,
  scheduleSummarySchema,
  scheduleTimesSchema,
  scheduleTimingSchema,
  timesQuerySchema,
  triggerBodySchema,
} from '@/lib/protocol/schedule';
import { answers, idempotencyKey, type Operation, operation, text } from '@/server/adapters/http/operation';
import type { ScheduleService } from '@/server/services/schedule-service';

const BASE = '/api/v1/schedules';
const tag = 'schedules';
const NOT_FOUND = ['SCHEDULE_NOT_FOUND'] as const;

/** Operations on schedules. */
export function scheduleOperations(schedules: ScheduleService): Operation[] {
  return [...definitions(schedules), ...commands(schedules)];
}

function definitions(schedules: ScheduleService): Operation[] {
  return [
    operation({
      id: 'listSchedules',
      tag,
      method: 'GET',
      path: BASE,
      summary: 'List schedules by name.',
      permission: 'schedules:read',
      answers: answers(200, 'Every schedule of the organisation.', pageSchema(scheduleSummarySchema)),
      errors: [],
      handle: async ({ actor }) => ({
        status: 200,
        body: { items: await schedules.list(actor), nextCursor: null },
      }),
    }),
    operation({
      id: 'createSchedule',
      tag,
      method: 'POST',
      path: BASE,
      summary: 'Make a schedule.',
      description: 'Give either `cron` (with `timeZone`) or `every` (with `offset`).',
      permission: 'schedules:write',
      body: createScheduleBodySchema,
      contents: ['/input'],
      answers: answers(201, 'The schedule.', scheduleSummarySchema, ['Location']),
      errors: ['SCHEDULE_EXISTS', 'WORKFLOW_NOT_FOUND', 'INVALID_WORKFLOW_INPUT'],
      handle: async ({ actor, body: { name, ...spec } }) => ({
        status: 201,
        body: await schedules.create(actor, name, spec),
        headers: { location: `${BASE}/${encodeURIComponent(name)}` },
      }),
    }),
    operation({
      id: 'previewSchedule',
      tag,
      method: 'POST',
      path: `${BASE}/preview`,
      summary: 'Show when a schedule would run, without making it.',
      permission: 'schedules:read',
      query: timesQuerySchema,
      body: scheduleTimingSchema,
      answers: answers(200, 'The times, in order.', scheduleTimesSchema),
      errors: [],
      handle: async ({ actor, query, body }) => ({
        status: 200,
        body: { times: await schedules.preview(actor, body, query.count, query.after) },
      }),
    }),
    operation({
      id: 'getSchedule',
      tag,
      method: 'GET',
      path: `${BASE}/{name}`,
      summary: 'Read a schedule and what became of its latest times.',
      permission: 'schedules:read',
      answers: answers(200, 'The schedule; its latest times newest first.', scheduleDetailSchema),
      errors: NOT_FOUND,
      handle: async ({ actor, params }) => ({
        status: 200,
        body: await schedules.detail(actor, text(params, 'name')),
      }),
    }),
    operation({
      id: 'replaceSchedule',
      tag,
      method: 'PUT',
      path: `${BASE}/{name}`,
      summary: 'Replace a schedule; its times are counted anew from now.',
      description: 'Left out, `paused` and `note` stay as they are.',
      permission: 'schedules:write',
      body: scheduleSpecSchema,
      contents: ['/input'],
      answers: answers(200, 'The schedule.', scheduleSummarySchema),
      errors: ['SCHEDULE_NOT_FOUND', 'WORKFLOW_NOT_FOUND', 'INVALID_WORKFLOW_INPUT'],
      handle: async ({ actor, params, body }) => ({
        status: 200,
        body: await schedules.replace(actor, text(params, 'name'), body),
      }),
    }),
    operation({
      id: 'deleteSchedule',
      tag,
      method: 'DELETE',
      path: `${BASE}/{name}`,
      summary: 'Remove a schedule; runs that it started go on.',
      permission: 'schedules:write',
      answers: { 204: { description: 'It is gone.' } },
      errors: NOT_FOUND,
      handle: async ({ actor, params }) => {
        await schedules.remove(actor, text(params, 'name'));
        return { status: 204, body: null };
      },
    }),
    operation({
      id: 'listScheduleTimes',
      tag,
      method: 'GET',
      path: `${BASE}/{name}/times`,
      summary: 'List the next times of a schedule.',
      permission: 'schedules:read',
      query: timesQuerySchema,
      answers: answers(200, 'The times, in order.', scheduleTimesSchema),
      errors: NOT_FOUND,
      handle: async ({ actor, params, query }) => ({
        status: 200,
        body: { times: await schedules.times(actor, text(params, 'name'), query.count, query.after) },
      }),
    }),
  ];
}

function commands(schedules: ScheduleService): Operation[] {
  const pausing = (id: string, verb: 'pause' | 'resume', summary: string) =>
    operation({
      id,
      tag,
      method: 'POST',
      path: `${BASE}/{name}/${verb}`,
      summary,
      permission: 'schedules:write',
      body: noteBodySchema,
      answers: answers(200, 'The schedule.', scheduleSummarySchema),
      errors: NOT_FOUND,
      handle: async ({ actor, params, body }) => ({
        status: 200,
        body: await schedules.pause(actor, text(params, 'name'), verb === 'pause', body.note),
      }),
    });
  return [
    pausing('pauseSchedule', 'pause', 'Pause a schedule: times that come meanwhile are let pass.'),
    pausing('resumeSchedule', 'resume', 'Let a paused schedule go on with its next time.'),
    operation({
      id: 'triggerSchedule',
      tag,
      method: 'POST',
      path: `${BASE}/{name}/trigger`,
      summary: 'Run a schedule once, now.',
      permission: 'schedules:write',
      body: triggerBodySchema,
      headers: ['Idempotency-Key'],
      answers: answers(202, 'The time under which it runs.', scheduleTimesSchema),
      errors: NOT_FOUND,
      handle: async ({ actor, params, body, headers }) => {
        const key = idempotencyKey(headers);
        const times = await schedules.trigger(actor, text(params, 'name'), body.overlap, key);
        return { status: 202, body: { times } };
      },
    }),
    operation({
      id: 'backfillSchedule',
      tag,
      method: 'POST',
      path: `${BASE}/{name}/backfill`,
      summary: 'Start the times of a span that passed without a start.',
      description:
        'A time that was started already is not started again, however often this is asked for, as long as it is on record: among the last 200 times of the schedule, or by the key of its start until retention drops the run.',
      permission: 'schedules:write',
      body: backfillBodySchema,
      answers: answers(202, 'The times that were taken.', scheduleTimesSchema),
      errors: NOT_FOUND,
      handle: async ({ actor, params, body }) => ({
        status: 202,
        body: { times: await schedules.backfill(actor, text(params, 'name'), body) },
      }),
    }),
  ];
}
