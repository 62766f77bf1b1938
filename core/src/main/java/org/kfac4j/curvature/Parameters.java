package org.kfac4j.curvature;

import java.io.Externalizable;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import org.kfac4j.linalg.Matrix;
import org.kfac4j.linalg.Precision;
import org.kfac4j.linalg.Vectors;

/**
 * A parameter vector, or a direction in parameter space, on its way to the tasks, in the precision
 * that they compute in.
 */
public final class Parameters implements Externalizable {
  private static final long serialVersionUID = 1L;

  private float[] single = new float[0];
  private double[] full = new double[0];

  /** For deserialization. */
  public Parameters() {}

  /** Copies {@code vector}. */
  public Parameters(double[] vector, Precision precision) {
    if (precision == Precision.FLOAT) {
      single = Vectors.floats(vector);
    } else {
      full = vector.clone();
    }
  }

  public int length() {
    return single.length + full.length;
  }

  /** Writes the vector to the first row of {@code target}. */
  void copyTo(Matrix target) {
    if (single.length > 0) {
      target.put(0, single, 0, single.length);
    } else {
      target.put(0, full, 0, full.length);
    }
  }

  @Override
  public void writeExternal(ObjectOutput out) throws IOException {
    BulkIo.write(out, single);
    BulkIo.write(out, full);
  }

  @Override
  public void readExternal(ObjectInput in) throws IOException {
    single = BulkIo.readFloats(in);
    full = BulkIo.readDoubles(in);
  }
}
