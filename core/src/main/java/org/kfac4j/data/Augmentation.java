package org.kfac4j.data;

import java.io.Serializable;
import org.kfac4j.Check;

/**
 * Random crops and flips of training images. What an image becomes depends on (seed, epoch, id)
 * alone, so that all passes of an iteration see the same image and results do not depend on how
 * examples are spread.
 *
 * @param channels of an image; features are [channels, rows, columns]
 * @param cropPadding p: an image is moved by up to p pixels in each direction, zeros move in
 * @param flip whether half of the images are mirrored left to right
 */
public record Augmentation(
    int channels, int rows, int columns, int cropPadding, boolean flip, long seed)
    implements Serializable {
  /** Leaves every example as it is. */
  public static final Augmentation NONE = new Augmentation(1, 1, 1, 0, false, 0);

  public Augmentation {
    Check.that(
        channels >= 1 && rows >= 1 && columns >= 1,
        "an image needs channels, rows and columns, got [%d, %d, %d]",
        channels,
        rows,
        columns);
    Check.that(cropPadding >= 0, "a crop's padding must not be negative, got %d", cropPadding);
  }

  /** The same with other random numbers. */
  public Augmentation withSeed(long other) {
    return new Augmentation(channels, rows, columns, cropPadding, flip, other);
  }

  public boolean isNone() {
    return cropPadding == 0 && !flip;
  }

  /** Numbers in an image. */
  public int length() {
    return channels * rows * columns;
  }

  /**
   * Changes the image that starts at {@code offset}.
   *
   * @param id of the example
   * @param epoch which visit to the example it is
   */
  public void apply(float[] features, int offset, long id, long epoch) {
    if (isNone()) {
      return;
    }
    long key = Hashing.key(seed, epoch, id);
    int down = shift(key, 0);
    int right = shift(key, 1);
    boolean mirrored = flip && Hashing.uniform(key, 2) < 0.5;
    float[] image = new float[length()];
    System.arraycopy(features, offset, image, 0, image.length);
    for (int c = 0; c < channels; c++) {
      for (int y = 0; y < rows; y++) {
        int to = offset + (c * rows + y) * columns;
        int sourceRow = y + down;
        for (int x = 0; x < columns; x++) {
          int sourceColumn = (mirrored ? columns - 1 - x : x) + right;
          boolean inside =
              sourceRow >= 0 && sourceRow < rows && sourceColumn >= 0 && sourceColumn < columns;
          features[to + x] = inside ? image[(c * rows + sourceRow) * columns + sourceColumn] : 0;
        }
      }
    }
  }

  private int shift(long key, int index) {
    return (int) (Hashing.uniform(key, index) * (2 * cropPadding + 1)) - cropPadding;
  }
}
