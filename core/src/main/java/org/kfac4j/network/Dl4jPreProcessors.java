package org.kfac4j.network;

import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.jspecify.annotations.Nullable;

/** What DL4J puts between layers of different kinds. */
final class Dl4jPreProcessors {
  private Dl4jPreProcessors() {}

  /**
   * Adds what {@code processor} makes of value {@code in}: nothing for images at the network's
   * input, {@link FlattenLayer} between convolutions and fully connected layers.
   *
   * @return the value that comes out
   */
  static int add(
      NetworkBuilder network, String name, InputPreProcessor processor, int in, Refusal here) {
    @Nullable Shape comes = network.shape(in);
    if (processor instanceof FeedForwardToCnnPreProcessor images) {
      Shape shape = shape(images, here);
      here.unless(shape.equals(comes) || isPixel(shape, comes), "inputPreProcessor", processor);
      return in;
    }
    if (processor.getClass() == CnnToFeedForwardPreProcessor.class) {
      CnnToFeedForwardPreProcessor vectors = (CnnToFeedForwardPreProcessor) processor;
      network.checkFormat(vectors.getFormat(), here);
      Shape shape =
          shape(vectors.getInputHeight(), vectors.getInputWidth(), vectors.getNumChannels(), here);
      here.require(
          shape.equals(comes) || isPixel(shape, comes),
          "its preprocessor flattens a map of %s, but %s comes in",
          shape,
          String.valueOf(comes));
      return shape.isVector()
          ? in
          : network.add(new FlattenLayer(name + " flatten", shape, network.hasChannelsLast()), in);
    }
    throw here.unsupported("inputPreProcessor", processor);
  }

  /** A map of one position is a vector. */
  private static boolean isPixel(Shape shape, @Nullable Shape comes) {
    return comes != null && comes.isVector() && shape.size() == comes.size() && shape.isVector();
  }

  /** What images come in as. */
  static Shape shape(FeedForwardToCnnPreProcessor images, Refusal here) {
    return shape(images.getInputHeight(), images.getInputWidth(), images.getNumChannels(), here);
  }

  private static Shape shape(long height, long width, long channels, Refusal here) {
    here.require(
        height >= 1
            && width >= 1
            && channels >= 1
            && Math.max(height, Math.max(width, channels)) < 1 << 20
            && height * width * channels < Integer.MAX_VALUE,
        "images of %d × %d pixels with %d channels are not possible",
        height,
        width,
        channels);
    return new Shape((int) height, (int) width, (int) channels);
  }
}
