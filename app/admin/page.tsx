import type { Metadata } from 'next';
import { AdminScreen } from '@/components/screens/admin-screen';

export const metadata: Metadata = { title: 'Administration' };

/** `/admin`: members, roles, API keys, secrets, audit log, quotas, teams, directories. */
export default function Page() {
  return <AdminScreen />;
}
