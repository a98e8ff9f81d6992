export * from './images.ts';
export * from './images-options.ts';
export { imageService, openImages } from './image-service.ts';
export { describeInstanceImage } from './instance-image.ts';
export type { ImageErrorCode } from './image-error.ts';
