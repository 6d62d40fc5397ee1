import type { Metadata } from 'next';
import { Invitation } from '@/components/panels/entrance/invitation';

export const metadata: Metadata = { title: 'Invitation' };

/** `/invite/<id>`: the link that an invited person was sent. */
export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  return <Invitation id={(await params).id} />;
}
