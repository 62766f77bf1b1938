package org.kfac4j.jobs;

import org.kfac4j.data.DataSource;
import org.kfac4j.data.ExampleShape;
import org.kfac4j.data.Examples;
import org.kfac4j.data.Hashing;

/** Examples of uniform noise in [0, 1) that a network is to reproduce: for timing. */
record RandomExamples(int width, long size) implements DataSource {
  @Override
  public String name() {
    return "random";
  }

  @Override
  public ExampleShape shape() {
    return new ExampleShape(width, width, false);
  }

  @Override
  public Examples read(long from, long to) {
    int count = Math.toIntExact(to - from);
    float[] features = new float[count * width];
    for (int row = 0; row < count; row++) {
      long key = Hashing.key(from + row);
      for (int j = 0; j < width; j++) {
        features[row * width + j] = (float) Hashing.uniform(key, j);
      }
    }
    return Examples.reconstruction(from, count, features);
  }
}
