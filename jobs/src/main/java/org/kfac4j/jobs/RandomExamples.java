package org.kfac4j.jobs;

import org.kfac4j.data.DataSource;
import org.kfac4j.data.ExampleShape;
import org.kfac4j.data.Examples;
import org.kfac4j.data.Hashing;
import org.kfac4j.network.Network;
import org.kfac4j.network.SoftmaxCrossEntropy;

/**
 * Examples of uniform noise in [0, 1), for timing: classes for a classifier, else targets of noise,
 * which for a network with as many outputs as inputs are the features themselves.
 */
record RandomExamples(Network network, long size) implements DataSource {
  @Override
  public String name() {
    return "random";
  }

  private boolean classes() {
    return network.loss() instanceof SoftmaxCrossEntropy;
  }

  @Override
  public ExampleShape shape() {
    return new ExampleShape(network.inputs(), network.outputs(), classes());
  }

  @Override
  public Examples read(long from, long to) {
    int count = Math.toIntExact(to - from);
    float[] features = noise(from, count, network.inputs());
    if (classes()) {
      int[] labels = new int[count];
      for (int row = 0; row < count; row++) {
        labels[row] = (int) Math.floorMod(Hashing.key(from + row), (long) network.outputs());
      }
      return Examples.classified(from, features, labels);
    }
    return network.inputs() == network.outputs()
        ? Examples.reconstruction(from, count, features)
        : Examples.withTargets(from, count, features, noise(~from, count, network.outputs()));
  }

  private static float[] noise(long first, int count, int width) {
    float[] values = new float[count * width];
    for (int row = 0; row < count; row++) {
      long key = Hashing.key(first + row);
      for (int j = 0; j < width; j++) {
        values[row * width + j] = (float) Hashing.uniform(key, j);
      }
    }
    return values;
  }
}
