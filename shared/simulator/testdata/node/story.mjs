// tell has a client associate an instance, wait until the HAVIP is InUse, and
// unassociate it again, and prints what it saw; or the code that it was refused with.
import { setTimeout as pause } from 'node:timers/promises';

export async function tell({ associate, describe, unassociate }) {
  const see = async (status) => {
    for (let look = 0; look < 200; look++) {
      const havip = await describe();
      if (havip.status === status) {
        console.log(status, ...(havip.holders ?? []));
        return;
      }
      await pause(20);
    }
    throw new Error(`the HAVIP did not become ${status}`);
  };
  try {
    await associate('i-db1');
    await see('Associating');
    await see('InUse');
    await unassociate('i-db1');
    await see('Unassociating');
    await see('Available');
  } catch (e) {
    console.log('refused', e.code ?? e.message);
  }
}
