package org.kfac4j.spark;

import java.io.IOException;
import java.util.Arrays;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.ExampleShape;
import org.kfac4j.data.Examples;

/**
 * Examples of one feature, which is the id; some of them may be wrong.
 *
 * @param invalid id of the example that breaks a rule, −1 for none
 * @param unreadable id of the example that cannot be read, −1 for none
 */
record ListSource(long size, long invalid, long unreadable) implements DataSource {
  static ListSource of(long size) {
    return new ListSource(size, -1, -1);
  }

  @Override
  public String name() {
    return "list";
  }

  @Override
  public ExampleShape shape() {
    return new ExampleShape(1, 1, false);
  }

  @Override
  public Examples read(long from, long to) throws IOException {
    if (from <= unreadable && unreadable < to) {
      throw new IOException("disk on fire");
    }
    InvalidInputException.require(
        !(from <= invalid && invalid < to), "list: example %d is odd", invalid);
    float[] values = new float[(int) (to - from)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (from + i);
    }
    return Examples.withTargets(from, values.length, values, Arrays.copyOf(values, values.length));
  }
}
