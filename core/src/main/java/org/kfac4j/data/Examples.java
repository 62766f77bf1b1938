package org.kfac4j.data;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;

/**
 * A block of consecutive examples. Arrays are not copied and must not be changed.
 *
 * <p>An example has a feature vector and either a class or a target vector. Its global id, {@code
 * firstId + row}, decides which batches it is in and which targets are sampled for it, so that
 * results do not depend on how examples are spread over blocks, partitions and machines. Examples
 * may have weights: one of weight 2 counts as two in every mean.
 */
public final class Examples implements Serializable {
  private static final long serialVersionUID = 1L;

  private final long firstId;
  private final int count;
  private final float[] features;
  private final int @Nullable [] labels;
  private final float @Nullable [] targets;
  private final float @Nullable [] weights;

  private Examples(
      long firstId,
      int count,
      float[] features,
      int @Nullable [] labels,
      float @Nullable [] targets,
      float @Nullable [] weights) {
    Check.that(firstId >= 0, "firstId must not be negative, got %d", firstId);
    Check.that(count >= 0, "count must not be negative, got %d", count);
    Check.that(
        count == 0 ? features.length == 0 : features.length % count == 0,
        "features must be [%d, width] row by row, got %d numbers",
        count,
        features.length);
    this.firstId = firstId;
    this.count = count;
    this.features = features;
    this.labels = labels;
    this.targets = targets;
    this.weights = weights;
  }

  /**
   * @param features [labels.length, width], row by row
   * @param labels one class index per example
   */
  public static Examples classified(long firstId, float[] features, int[] labels) {
    return new Examples(firstId, labels.length, features, labels, null, null);
  }

  /**
   * @param features [count, width], row by row
   * @param targets [count, targetWidth], row by row; the same array as {@code features} for an
   *     autoencoder
   */
  public static Examples withTargets(long firstId, int count, float[] features, float[] targets) {
    Check.that(
        count == 0 ? targets.length == 0 : targets.length % count == 0,
        "targets must be [%d, width] row by row, got %d numbers",
        count,
        targets.length);
    return new Examples(firstId, count, features, null, targets, null);
  }

  /** An autoencoder's examples: the target is the feature vector itself. */
  public static Examples reconstruction(long firstId, int count, float[] features) {
    return withTargets(firstId, count, features, features);
  }

  /**
   * The same examples with a weight each.
   *
   * @param each positive and finite
   */
  public Examples weighted(float[] each) {
    Check.that(
        each.length == count, "%d examples need as many weights, got %d", count, each.length);
    for (float weight : each) {
      Check.that(weight > 0 && weight < Float.POSITIVE_INFINITY, "a weight is %s", weight);
    }
    return new Examples(firstId, count, features, labels, targets, each);
  }

  /** The same examples with other ids. */
  public Examples from(long first) {
    return new Examples(first, count, features, labels, targets, weights);
  }

  /** Global id of row 0; row r has id {@code firstId() + r}. */
  public long firstId() {
    return firstId;
  }

  public int count() {
    return count;
  }

  /** [count, width], row by row; not a copy. */
  public float[] features() {
    return features;
  }

  /** One class index per row, or null if targets are vectors; not a copy. */
  public int @Nullable [] labels() {
    return labels;
  }

  /** One per row, or null if all are 1; not a copy. */
  public float @Nullable [] weights() {
    return weights;
  }

  /** [count, targetWidth], row by row, or null if targets are classes; not a copy. */
  public float @Nullable [] targets() {
    return targets;
  }
}
