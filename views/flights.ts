import { instant, stream } from 'stillwater';
import { z } from 'zod';

/**
 * Departures in the United States, January to June 2001, as the Bureau of Transportation Statistics recorded them. A
 * departure is reported when it happens and dated with the time it was scheduled for: events arrive out of order, as
 * they really did.
 */
export const flights = stream('flights', {
  schema: z.object({
    /** Scheduled departure. The clock on the wall of the airport, written as if it were UTC. */
    at: instant(),
    /** Minutes; negative for a flight that left early. */
    delay: z.int(),
    /** Miles. */
    distance: z.int(),
    origin: z.string(),
    destination: z.string(),
  }),
  eventTime: 'at',
  // The latest of the three million left 28 hours after its time, while others were reported four hours before theirs.
  lateness: '36h',
});
