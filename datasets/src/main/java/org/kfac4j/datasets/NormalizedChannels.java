package org.kfac4j.datasets;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.util.List;
import org.kfac4j.InvalidInputException;
import org.kfac4j.data.DataSet;
import org.kfac4j.data.DataSource;
import org.kfac4j.data.ExampleShape;
import org.kfac4j.data.Examples;

/**
 * A classifier's examples with features (x − mean) / std, each channel with its own two numbers. A
 * channel is one of {@code means.size()} parts of equal length that an example's features have, one
 * after the other.
 */
public final class NormalizedChannels implements DataSource {
  private static final long serialVersionUID = 1L;

  private final DataSource source;
  private final float[] means;
  private final float[] factors;

  private NormalizedChannels(DataSource source, List<Double> means, List<Double> deviations) {
    this.source = source;
    this.means = new float[means.size()];
    this.factors = new float[means.size()];
    for (int i = 0; i < this.means.length; i++) {
      this.means[i] = means.get(i).floatValue();
      this.factors[i] = (float) (1 / deviations.get(i));
    }
  }

  /**
   * Both parts of {@code set}, normalised; {@code set} itself if both lists are empty.
   *
   * @throws InvalidInputException if the lists differ in length, a deviation is not positive, an
   *     example's features are not as many channels, or the targets are the features
   */
  public static DataSet of(DataSet set, List<Double> means, List<Double> deviations) {
    if (means.isEmpty() && deviations.isEmpty()) {
      return set;
    }
    InvalidInputException.require(
        means.size() == deviations.size(),
        "data.channel-mean and data.channel-std must have a number for each channel, got %d and %d",
        means.size(),
        deviations.size());
    for (double deviation : deviations) {
      InvalidInputException.require(
          deviation > 0, "data.channel-std must be positive, got %s", deviations);
    }
    ExampleShape shape = set.train().shape();
    InvalidInputException.require(
        shape.classes(),
        "data.channel-mean is for data.task classifier: an autoencoder's targets would change with"
            + " its features");
    InvalidInputException.require(
        shape.features() % means.size() == 0,
        "data.channel-mean has %d channels, into which the %d features of an example cannot be"
            + " divided",
        means.size(),
        shape.features());
    return new DataSet(
        new NormalizedChannels(set.train(), means, deviations),
        new NormalizedChannels(set.test(), means, deviations));
  }

  @Override
  public String name() {
    return source.name();
  }

  @Override
  public ExampleShape shape() {
    return source.shape();
  }

  @Override
  public long size() {
    return source.size();
  }

  @Override
  public Examples read(long from, long to) throws IOException {
    Examples raw = source.read(from, to);
    float[] features = raw.features().clone();
    int channel = shape().features() / means.length;
    for (int at = 0; at < features.length; at += channel) {
      int c = at / channel % means.length;
      for (int i = at; i < at + channel; i++) {
        features[i] = (features[i] - means[c]) * factors[c];
      }
    }
    return Examples.classified(raw.firstId(), features, requireNonNull(raw.labels()));
  }
}
