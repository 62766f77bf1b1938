package org.kfac4j.network;

import java.io.Serializable;
import org.kfac4j.Check;

/**
 * What a value of a network is for one example: a map of height × width positions with so many
 * channels each, kept position by position (row by row), channels together; or, with one position,
 * a vector.
 *
 * @param height rows of positions
 * @param width columns of positions
 * @param channels numbers at a position
 */
public record Shape(int height, int width, int channels) implements Serializable {
  public Shape {
    Check.that(
        height >= 1 && width >= 1 && channels >= 1,
        "a shape needs height, width and channels of at least 1, got %d × %d × %d",
        height,
        width,
        channels);
    Check.that(
        (long) height * width * channels < Integer.MAX_VALUE,
        "%d × %d × %d numbers are too many",
        height,
        width,
        channels);
  }

  /** A vector of {@code length} numbers. */
  public static Shape vector(int length) {
    return new Shape(1, 1, length);
  }

  public int positions() {
    return height * width;
  }

  /** Numbers in all. */
  public int size() {
    return positions() * channels;
  }

  public boolean isVector() {
    return positions() == 1;
  }

  /** {@code 784}, or {@code 32×32×3}: height, width, channels. */
  @Override
  public String toString() {
    return isVector() ? String.valueOf(channels) : height + "×" + width + "×" + channels;
  }
}
