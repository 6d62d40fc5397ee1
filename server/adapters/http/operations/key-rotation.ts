import { keyRotationSchema } from '@/lib/protocol/api-keys';
import { answers, type Operation, operation } from '@/server/adapters/http/operation';
import type { KeyRotationService } from '@/server/services/key-rotation-service';

const PATH = '/api/v1/instance/key-rotation';
const tag = 'settings';

/** Operations on the master key of the instance. */
export function keyRotationOperations(keys: KeyRotationService): Operation[] {
  return [
    operation({
      id: 'getKeyRotation',
      tag,
      method: 'GET',
      path: PATH,
      summary: 'Read which key secrets are sealed under, and how its rotation stands.',
      description: 'For owners of the first organisation, who run the instance.',
      permission: 'organization:manage',
      answers: answers(200, 'The key by its id, and the rotation.', keyRotationSchema),
      errors: ['OPERATOR_ONLY'],
      handle: async ({ actor }) => ({ status: 200, body: await keys.status(actor) }),
    }),
    operation({
      id: 'startKeyRotation',
      tag,
      method: 'POST',
      path: PATH,
      summary: 'Bring everything that is sealed to a new key, while work goes on.',
      description:
        'Without OPENCONDUCTOR_SECRET_KEY a new key is made in the data folder; else the variable holds it, and OPENCONDUCTOR_SECRET_KEY_PREVIOUS the one before. A rotation that is under way goes on.',
      permission: 'organization:manage',
      answers: answers(202, 'It is begun.', keyRotationSchema),
      errors: ['OPERATOR_ONLY', 'KEY_NOT_NEW', 'SECRET_UNREADABLE'],
      handle: async ({ actor }) => ({ status: 202, body: await keys.rotate(actor) }),
    }),
  ];
}
