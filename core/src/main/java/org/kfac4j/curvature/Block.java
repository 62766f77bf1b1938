package org.kfac4j.curvature;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.kfac4j.data.Augmentation;
import org.kfac4j.data.Examples;
import org.kfac4j.network.Targets;

/**
 * Examples gathered for one round of computation: up to {@code capacity} rows, on the heap, in the
 * order in which they come; {@link #arrange} puts those of the statistics first, so that one pass
 * over the block serves both.
 */
public final class Block {
  private final int capacity;
  private final int width;
  private final Augmentation augmentation;
  private final float[] features;
  private final long[] ids;
  private final long[] places;
  private int @Nullable [] labels;
  private float @Nullable [] weights;
  private float @Nullable [] targets;
  private int targetWidth;
  private int count;
  private final boolean[] inStatistics;
  private int statisticsCount;

  /** Room for {@code capacity} examples of {@code width} features. */
  public Block(int capacity, int width, Augmentation augmentation) {
    this.augmentation = augmentation;
    this.capacity = capacity;
    this.width = width;
    this.features = new float[capacity * width];
    this.ids = new long[capacity];
    this.places = new long[capacity];
    this.inStatistics = new boolean[capacity];
  }

  public int count() {
    return count;
  }

  public boolean isFull() {
    return count == capacity;
  }

  /** How many examples, from the first on, {@link #arrange} found in the request's statistics. */
  public int statisticsCount() {
    return statisticsCount;
  }

  /** [count, width], row by row; longer than that. */
  public float[] features() {
    return features;
  }

  /** Global ids; longer than count. */
  public long[] ids() {
    return ids;
  }

  /** Places in the request's batch; longer than count. */
  public long[] places() {
    return places;
  }

  public Targets targets() {
    return new Targets(labels, targets);
  }

  /** One per row, or null if all are 1; longer than the block. */
  public float @Nullable [] weights() {
    return weights;
  }

  /** √w of the first {@code n} rows, which sums of second moments take; null if all are 1. */
  double @Nullable [] roots(int n) {
    float[] squares = weights;
    if (squares == null) {
      return null;
    }
    double[] roots = new double[n];
    Arrays.setAll(roots, i -> Math.sqrt(squares[i]));
    return roots;
  }

  /** Removes the first {@code n} rows. */
  public void drop(int n) {
    int left = count - n;
    System.arraycopy(features, n * width, features, 0, left * width);
    System.arraycopy(ids, n, ids, 0, left);
    System.arraycopy(places, n, places, 0, left);
    System.arraycopy(inStatistics, n, inStatistics, 0, left);
    if (labels != null) {
      System.arraycopy(labels, n, labels, 0, left);
    }
    if (weights != null) {
      System.arraycopy(weights, n, weights, 0, left);
    }
    if (targets != null && targets != features) {
      System.arraycopy(targets, n * targetWidth, targets, 0, left * targetWidth);
    }
    count = left;
  }

  /**
   * Puts those of the first {@code n} rows that are in the statistics before the others. Which
   * examples are among these n does not depend on the statistics.
   */
  public void arrange(int n) {
    int front = 0;
    int back = n - 1;
    while (true) {
      while (front < n && inStatistics[front]) {
        front++;
      }
      while (back >= 0 && !inStatistics[back]) {
        back--;
      }
      if (front >= back) {
        break;
      }
      swap(front, back);
    }
    statisticsCount = front;
  }

  private void swap(int i, int j) {
    swap(features, width, i, j);
    long id = ids[i];
    ids[i] = ids[j];
    ids[j] = id;
    long place = places[i];
    places[i] = places[j];
    places[j] = place;
    boolean in = inStatistics[i];
    inStatistics[i] = inStatistics[j];
    inStatistics[j] = in;
    if (labels != null) {
      int label = labels[i];
      labels[i] = labels[j];
      labels[j] = label;
    }
    if (weights != null) {
      swap(weights, 1, i, j);
    }
    if (targets != null && targets != features) {
      swap(targets, targetWidth, i, j);
    }
  }

  private static void swap(float[] rows, int width, int i, int j) {
    for (int k = 0; k < width; k++) {
      float value = rows[i * width + k];
      rows[i * width + k] = rows[j * width + k];
      rows[j * width + k] = value;
    }
  }

  /**
   * Adds row {@code row} of {@code source}.
   *
   * @param epoch which visit to the example it is
   * @param place of the visit in the request's batch
   * @param statistics whether it is in the request's statistics
   */
  public void add(Examples source, int row, long epoch, long place, boolean statistics) {
    prepare(source);
    if (weights != null) {
      weights[count] = source.weights() == null ? 1 : source.weights()[row];
    }
    long id = source.firstId() + row;
    inStatistics[count] = statistics;
    places[count] = place;
    copy(source.features(), source.targets(), source.labels(), id, row, count);
    augmentation.apply(features, count * width, id, epoch);
    count++;
  }

  /** Makes room for the kind of targets that {@code source} has. */
  private void prepare(Examples source) {
    float[] sourceTargets = source.targets();
    if (source.weights() != null && weights == null) {
      weights = new float[capacity];
      Arrays.fill(weights, 1);
    }
    if (source.labels() != null) {
      labels = labels == null ? new int[capacity] : labels;
    } else if (sourceTargets == source.features()) {
      targets = features;
    } else if (sourceTargets != null && targets == null) {
      targetWidth = sourceTargets.length / source.count();
      targets = new float[capacity * targetWidth];
    }
  }

  private void copy(
      float[] fromFeatures,
      float @Nullable [] fromTargets,
      int @Nullable [] fromLabels,
      long id,
      int from,
      int to) {
    System.arraycopy(fromFeatures, from * width, features, to * width, width);
    ids[to] = id;
    if (labels != null && fromLabels != null) {
      labels[to] = fromLabels[from];
    }
    if (targets != null && targets != features && fromTargets != null) {
      System.arraycopy(fromTargets, from * targetWidth, targets, to * targetWidth, targetWidth);
    }
  }
}
