import sharp from 'sharp';
import { answerRequests } from '../process/thread-tasks.ts';
import { type DecodedSample, type DecodeRequest, decodeSample } from './decode.ts';

// The threads decode several images in parallel; parallel work within one image would not help.
sharp.concurrency(1);
sharp.cache(false);

answerRequests<DecodeRequest, DecodedSample>(async (request) => {
  const answer = await decodeSample(request);
  return { answer, transfer: [answer.image.buffer, answer.target.buffer] as ArrayBuffer[] };
});
