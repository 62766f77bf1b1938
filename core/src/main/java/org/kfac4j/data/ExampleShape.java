package org.kfac4j.data;

import java.io.Serializable;
import org.kfac4j.Check;

/**
 * What one example consists of.
 *
 * @param features numbers in the feature vector
 * @param targets number of classes if {@code classes}, length of the target vector otherwise
 * @param classes whether the target is a class index in [0, targets) or a vector
 */
public record ExampleShape(int features, int targets, boolean classes) implements Serializable {
  public ExampleShape {
    Check.that(features >= 1, "an example needs at least one feature, got %d", features);
    Check.that(targets >= 1, "an example needs at least one target or class, got %d", targets);
  }
}
