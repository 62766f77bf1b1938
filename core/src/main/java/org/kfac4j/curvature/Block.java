package org.kfac4j.curvature;

import org.jspecify.annotations.Nullable;
import org.kfac4j.data.Examples;
import org.kfac4j.network.Targets;

/** Examples gathered for one round of computation: up to {@code capacity} rows, on the heap. */
public final class Block {
  private final int capacity;
  private final int width;
  private final float[] features;
  private final long[] ids;
  private int @Nullable [] labels;
  private float @Nullable [] targets;
  private int targetWidth;
  private int count;

  /** Room for {@code capacity} examples of {@code width} features. */
  public Block(int capacity, int width) {
    this.capacity = capacity;
    this.width = width;
    this.features = new float[capacity * width];
    this.ids = new long[capacity];
  }

  public int count() {
    return count;
  }

  public boolean isFull() {
    return count == capacity;
  }

  /** [count, width], row by row; longer than that. */
  public float[] features() {
    return features;
  }

  /** Global ids; longer than count. */
  public long[] ids() {
    return ids;
  }

  public Targets targets() {
    return new Targets(labels, targets);
  }

  public void clear() {
    count = 0;
  }

  /** Appends row {@code row} of {@code source}. */
  public void add(Examples source, int row) {
    System.arraycopy(source.features(), row * width, features, count * width, width);
    ids[count] = source.firstId() + row;
    int[] sourceLabels = source.labels();
    float[] sourceTargets = source.targets();
    if (sourceLabels != null) {
      labels = labels == null ? new int[capacity] : labels;
      labels[count] = sourceLabels[row];
    } else if (sourceTargets == source.features()) {
      targets = features;
    } else if (sourceTargets != null) {
      if (targets == null) {
        targetWidth = sourceTargets.length / source.count();
        targets = new float[capacity * targetWidth];
      }
      System.arraycopy(sourceTargets, row * targetWidth, targets, count * targetWidth, targetWidth);
    }
    count++;
  }
}
