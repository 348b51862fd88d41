import sharp from 'sharp';
import { answerRequests } from '../process/thread-tasks.ts';
import { finishPicture, type PictureAnswer, type PictureRequest, preparePicture } from './picture.ts';

// Several pictures are worked on at the same time; parallel work within one would not help.
sharp.concurrency(1);
sharp.cache(false);

answerRequests<PictureRequest, PictureAnswer>(async (request) => {
  switch (request.kind) {
    case 'prepare': {
      const answer = await preparePicture(request);
      const { tensor, image } = answer;
      return { answer, transfer: [tensor.buffer, ...(image ? [image.data.buffer] : [])] as ArrayBuffer[] };
    }
    case 'finish':
      return { answer: await finishPicture(request), transfer: [] };
  }
});
