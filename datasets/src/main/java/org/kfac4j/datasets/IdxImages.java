package org.kfac4j.datasets;

import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.ExampleShape;
import org.kfac4j.data.Examples;
import org.kfac4j.data.Storage;

/**
 * Images, or any other blocks of numbers, in the IDX format of MNIST and Fashion-MNIST, plain or
 * gzipped, with or without a second file of labels.
 *
 * <p>An example's features are its elements in file order: unsigned bytes divided by 255, so in [0,
 * 1], and elements of other types as they are. Without labels the target is the feature vector.
 *
 * <p>Opening reads both headers and all labels. A plain file is read from where the range starts; a
 * gzipped one is unpacked from its start up to the range's end, which costs 47 MB of unpacking for
 * the last of MNIST's training images. Memory is that of the range.
 */
public final class IdxImages implements DataSource {
  private static final long serialVersionUID = 1L;
  private static final double BYTE_SCALE = 1 / 255.0;

  private final Idx images;
  private final @Nullable Idx labels;
  private final ExampleShape shape;

  private IdxImages(Idx images, @Nullable Idx labels, ExampleShape shape) {
    this.images = images;
    this.labels = labels;
    this.shape = shape;
  }

  /**
   * Images whose target is the image.
   *
   * @throws InvalidInputException if the file does not exist, is not an IDX file of at least 2
   *     dimensions, or has not the length that its header asks for
   */
  public static IdxImages autoencoder(Storage storage, String images) throws IOException {
    Idx opened = openImages(storage, images);
    int width = opened.width();
    return new IdxImages(opened, null, new ExampleShape(width, width, false));
  }

  /**
   * Images whose target is a class.
   *
   * @param labels a file of integers, one per image, each in [0, classes)
   * @throws InvalidInputException as for {@link #autoencoder}; and if a label is not a class, or
   *     there are more or fewer labels than images
   */
  public static IdxImages classifier(Storage storage, String images, String labels, int classes)
      throws IOException {
    Idx opened = openImages(storage, images);
    var shape = new ExampleShape(opened.width(), classes, true);
    Idx openedLabels = openLabels(storage, labels);
    InvalidInputException.require(
        opened.count() == openedLabels.count(),
        "images and labels differ in number: %d in %s, %d in %s",
        opened.count(),
        images,
        openedLabels.count(),
        labels);
    openedLabels.read(
        0, openedLabels.count(), (id, label) -> checkLabel(labels, id, label, classes));
    return new IdxImages(opened, openedLabels, shape);
  }

  private static Idx openImages(Storage storage, String uri) throws IOException {
    Idx images = Idx.open(storage, uri);
    InvalidInputException.require(
        images.dimensions().size() >= 2,
        "%s: holds labels (1 dimension: %s), images need 2 or more",
        uri,
        images.text());
    return images;
  }

  private static Idx openLabels(Storage storage, String uri) throws IOException {
    Idx labels = Idx.open(storage, uri);
    InvalidInputException.require(
        labels.dimensions().size() == 1,
        "%s: labels need 1 dimension, got %d: %s",
        uri,
        labels.dimensions().size(),
        labels.text());
    InvalidInputException.require(
        labels.element().isInteger(), "%s: labels must be integers, got %s", uri, labels.element());
    return labels;
  }

  private static void checkLabel(String uri, long id, double label, int classes) {
    if (label < 0 || label >= classes) {
      throw new InvalidInputException(
          String.format(
              Locale.ROOT,
              "%s: label of example %d must be in 0..%d, got %.0f",
              uri,
              id,
              classes - 1,
              label));
    }
  }

  @Override
  public String name() {
    return images.uri();
  }

  @Override
  public ExampleShape shape() {
    return shape;
  }

  @Override
  public long size() {
    return images.count();
  }

  /**
   * @throws InvalidInputException if a file is truncated, damaged or goes on after its last
   *     example, or if a number is not finite as a float or a label not a class
   */
  @Override
  public Examples read(long from, long to) throws IOException {
    int count = Ranges.count(this, from, to);
    float[] features = readFeatures(from, to, count);
    return labels == null
        ? Examples.reconstruction(from, count, features)
        : Examples.classified(from, features, readLabels(labels, from, to, count));
  }

  private float[] readFeatures(long from, long to, int count) throws IOException {
    int width = shape.features();
    float[] features = new float[count * width];
    if (images.element() == Idx.Element.UNSIGNED_BYTE) {
      images.read(from, to, (i, value) -> features[i] = (float) (value * BYTE_SCALE));
    } else {
      images.read(from, to, (i, value) -> features[i] = finite(value, from + i / width, i % width));
    }
    return features;
  }

  private int[] readLabels(Idx labels, long from, long to, int count) throws IOException {
    int[] read = new int[count];
    labels.read(
        from,
        to,
        (i, label) -> {
          checkLabel(labels.uri(), from + i, label, shape.targets());
          read[i] = (int) label;
        });
    return read;
  }

  private float finite(double value, long id, int position) {
    float rounded = (float) value;
    if (!Float.isFinite(rounded)) {
      throw new InvalidInputException(
          String.format(
              Locale.ROOT,
              "%s: element %d of example %d must be a finite float, got %s",
              images.uri(),
              position,
              id,
              value));
    }
    return rounded;
  }
}
